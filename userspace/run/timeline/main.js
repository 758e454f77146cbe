/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page around the time line: exits by reason, the list, and the exit that is
 * looked at. Exits are counted through all vCPUs, in the order of their times.
 */
"use strict";

const ROW = 24;		/* pixels of a row of the list, as in style.css */

const $ = id => document.getElementById(id);

function element(name, attributes, ...children) {
	const e = document.createElement(name);

	for (const [key, value] of Object.entries(attributes || {}))
		e.setAttribute(key, value);
	e.append(...children);
	return e;
}

function count(n) {
	return n.toLocaleString("en").replaceAll(",", " ");	/* a narrow space */
}

function percent(part, whole) {
	const p = whole ? 100 * part / whole : 0;

	return (p && p < .1 ? "< 0.1" : p.toFixed(1)) + " %";
}

function reasonName(reason) {
	return HEAD.reasons[reason] || "reason " + reason;
}

class Page {
	constructor(lines) {
		this.lines = lines;
		this.total = Math.max(1, ...lines.map(l => l.n ? l.end[l.n - 1] : 0));
		this.sortExits();
		this.sum();
		this.only = -1;
		this.at = -1;	/* of this.shown */
		this.shown = this.order;

		const color = reason => this.colors.get(reason) || OTHER_COLOR;

		this.view = new View($("time"), lines, this.total, color);
		this.view.present = [...this.colors.keys()];
		this.summary();
		this.reasons();
		this.wire();
		this.list();
		this.select(0, false);
		this.view.ask();
	}

	/* All exits in order, as numbers: the line in the top bits */
	sortExits() {
		const all = this.lines.reduce((n, line) => n + line.n, 0);

		this.order = new Uint32Array(all);
		if (this.lines.length === 1) {
			for (let i = 0; i < all; i++)
				this.order[i] = i;
			return;
		}
		const at = this.lines.map(() => 0);

		for (let k = 0; k < all; k++) {
			let best = -1;

			this.lines.forEach((line, n) => {
				if (at[n] < line.n && (best < 0 || line.exit[at[n]] < this.lines[best].exit[at[best]]))
					best = n;
			});
			this.order[k] = best << 24 | at[best]++;
		}
	}

	exitOf(number) {
		return [this.lines[number >>> 24], number & 0xffffff];
	}

	sum() {
		this.by = new Map();
		this.guest = 0;
		this.module = 0;
		this.user = 0;
		for (const line of this.lines) {
			for (let i = 0; i < line.n; i++) {
				const reason = line.reason[i], time = line.end[i] - line.exit[i];
				let sum = this.by.get(reason);

				if (!sum)
					this.by.set(reason, sum = { reason, count: 0, time: 0 });
				sum.count++;
				sum.time += time;
				this.guest += line.from[i] <= line.exit[i] ? line.exit[i] - line.from[i] : 0;
				this.module += line.user[i] - line.exit[i];
				this.user += line.end[i] - line.user[i];
			}
		}
		this.colors = new Map([...this.by.values()].sort((a, b) => b.time - a.time)
			.map((sum, i) => [sum.reason, COLORS[i] || OTHER_COLOR]));
	}

	summary() {
		const all = this.guest + this.module + this.user;
		const dropped = this.lines.reduce((n, line) => n + line.dropped, 0);
		const left = this.lines.reduce((n, line) => n + line.exits - line.n, 0);
		const cpus = this.lines.length === 1 ? "" : ` of ${this.lines.length} vCPUs`;

		$("image").textContent = HEAD.image;
		document.title = `${HEAD.image}: minivmm timeline`;
		$("summary").textContent = `${count(this.order.length)} VM exits${cpus} in ` +
			`${timeText(this.total)}: ${percent(this.guest, all)} of the time the guest ran ` +
			`(non-root mode), ${percent(this.module, all)} the module handled exits, and ` +
			`${percent(this.user, all)} the launcher did (root mode).`;
		if (dropped || left) {
			$("dropped").hidden = false;
			$("dropped").textContent = (dropped ? `${count(dropped)} VM exits came too fast and ` +
				"were not recorded; where they were, nothing is drawn. " : "") +
				(left ? `${count(left)} more are not in this page.` : "");
		}
	}

	reasons() {
		const body = $("reasons").tBodies[0], root = this.module + this.user;
		const bar = (part, whole, color) => {
			const fill = element("div", {}), track = element("div", { class: "bar" }, fill);

			fill.style.width = 100 * part / (whole || 1) + "%";
			fill.style.background = color;
			return element("td", {}, element("div", { class: "share" }, track,
				element("span", {}, percent(part, whole))));
		};

		for (const sum of [...this.by.values()].sort((a, b) => b.time - a.time)) {
			const color = this.colors.get(sum.reason);
			const swatch = element("span", { class: "swatch" });
			const button = element("button", { type: "button", "aria-pressed": "false",
				"data-reason": sum.reason }, reasonName(sum.reason));

			swatch.style.background = color;
			button.addEventListener("click", () => this.filter(sum.reason));
			body.append(element("tr", {}, element("td", {}, swatch, button),
				element("td", { class: "number" }, count(sum.count)),
				bar(sum.count, this.order.length, color),
				element("td", { class: "number" }, timeText(sum.time)),
				bar(sum.time, root, color),
				element("td", { class: "number" }, timeText(sum.time / sum.count))));
		}
	}

	/* Only the exits of one reason, or all again */
	filter(reason) {
		const old = this.at >= 0 ? this.shown[this.at] : -1;

		this.only = this.view.only = this.only === reason ? -1 : reason;
		for (const button of $("reasons").querySelectorAll("button"))
			button.setAttribute("aria-pressed", Number(button.dataset.reason) === this.only);
		this.shown = this.only < 0 ? this.order : this.order.filter(number => {
			const [line, i] = this.exitOf(number);

			return line.reason[i] === this.only;
		});
		/* The same exit if it is still among them, or else the first */
		this.list();
		this.select(Math.max(0, this.shown.indexOf(old)), true);
	}

	list() {
		$("list-space").style.height = this.shown.length * ROW + "px";
		$("list-count").textContent = this.only < 0 ? `(${count(this.shown.length)})` :
			`(${count(this.shown.length)} of ${reasonName(this.only)})`;
		this.rows();
	}

	/* The rows that are seen, and no others */
	rows() {
		const list = $("list"), first = Math.max(0, Math.floor(list.scrollTop / ROW) - 2);
		const last = Math.min(this.shown.length, first + Math.ceil(list.clientHeight / ROW) + 5);
		const rows = [];

		for (let k = first; k < last; k++) {
			const [line, i] = this.exitOf(this.shown[k]), e = line.record(i);
			const row = element("div", { class: "row", role: "option", id: "row" + k,
				"aria-posinset": k + 1, "aria-setsize": this.shown.length,
				"aria-selected": k === this.at });
			const cpu = this.lines.length > 1 ? line.index + ": " : "";

			for (const text of [cpu + e.number, momentText(line.exit[i], this.total / 1e7), reasonName(line.reason[i]),
				hex(e.rip), HEAD.code[e.insn - 1] || "", timeText(line.end[i] - line.exit[i])])
				row.append(element("span", {}, text));
			row.style.top = k * ROW + "px";
			row.addEventListener("click", () => this.select(k, true));
			rows.push(row);
		}
		$("list-space").replaceChildren(...rows);
		if (this.at >= first && this.at < last)
			list.setAttribute("aria-activedescendant", "row" + this.at);
		else
			list.removeAttribute("aria-activedescendant");
	}

	/* @move: bring it into sight in the time line, too */
	select(k, move) {
		const list = $("list"), top = k * ROW;

		if (!this.shown.length)
			return;
		k = Math.max(0, Math.min(k, this.shown.length - 1));
		this.at = k;
		this.view.selected = this.exitOf(this.shown[k]);
		if (top < list.scrollTop || top + ROW > list.scrollTop + list.clientHeight)
			list.scrollTop = top - list.clientHeight / 2;
		if (move) {
			const [line, i] = this.view.selected, view = this.view, length = view.to - view.from;

			if (line.exit[i] < view.from || line.exit[i] > view.to)
				view.show(line.exit[i] - length / 2, line.exit[i] + length / 2);
		}
		this.rows();
		this.detail();
		this.view.ask();
	}

	/* The exit and what is around it, in a size in which it can be read */
	zoomTo() {
		const [line, i] = this.view.selected || [];

		if (!line)
			return;
		const from = line.from[i] >= 0 ? Math.max(line.from[i], line.exit[i] - 4 * (line.end[i] - line.exit[i])) :
			line.exit[i];

		const length = Math.max(20, line.end[i] - from);

		this.view.show(from - length * .15, line.end[i] + length * .3);
	}

	detail() {
		const [line, i] = this.view.selected, e = line.record(i), words = decode(e);
		const body = [], name = reasonName(line.reason[i]);
		const table = fields => {
			const t = element("tbody");

			for (const [what, value, more] of fields) {
				const cell = element("td", {}, element("code", {}, value));

				if (more)
					cell.append(element("span", { class: "words" }, more));
				t.append(element("tr", {}, element("th", { scope: "row" }, what), cell));
			}
			return element("table", { class: "fields" }, t);
		};
		const cpu = this.lines.length > 1 ? ` of vCPU ${line.index}` : "";
		const bytes = e.code.slice(0, e.size || e.insn_bytes)
			.map(b => b.toString(16).padStart(2, "0")).join(" ");

		$("exit-title").textContent = `VM exit ${e.number}${cpu}: ${name}`;
		body.push(element("p", {}, words.says));
		body.push(element("h3", {}, "The instruction"));
		body.push(element("p", {}, element("code", { id: "insn" }, hex(e.rip) + "  " +
			(HEAD.code[e.insn - 1] || "(not known)")),
		element("span", { class: "words" }, bytes ? "bytes: " + bytes : "its memory was not at hand")));
		body.push(element("h3", {}, "What the processor told"), table(words.fields));
		body.push(element("h3", {}, "What changed until the next VM entry"));
		if (words.changes.length)
			body.push(table(words.changes));
		else
			body.push(element("p", {}, "No register: the guest goes on where it was."));
		if (words.inject)
			body.push(element("p", {}, "The VM entry injects: ", element("b", {}, words.inject), "."));
		body.push(element("h3", {}, "Time"), table(this.times(line, i, e)));
		body.push(element("p", { class: "book" }, `To read: SDM Vol. 3, “${words.section}”`));
		$("exit-body").replaceChildren(...body);
	}

	times(line, i, e) {
		const ticks = n => `${timeText(n)} (${count(n)} ticks)`;
		const rows = [["exit", `at ${momentText(line.exit[i], 1)}`]];

		if (line.from[i] <= line.exit[i])
			rows.push(["in the guest before", ticks(line.exit[i] - line.from[i])]);
		rows.push(["in the module", ticks(line.user[i] - line.exit[i])]);
		if (e.flags & TO_USER)
			rows.push(["in the launcher", ticks(line.end[i] - line.user[i]), e.user < 0 ?
				"KVM_RUN failed: " + (e.user === -4 ? "EINTR, a signal came" : "error " + -e.user) :
				"KVM_EXIT_" + (HEAD.user[e.user] || e.user)]);
		if (!e.entry_tsc)
			rows.push(["", "no VM entry followed"]);
		return rows;
	}

	/* Number of an exit in what is shown; the next one if it is not shown itself */
	place([line, i]) {
		const t = line.exit[i];
		let low = 0, high = this.shown.length;

		while (low < high) {
			const middle = (low + high) >> 1, [other, k] = this.exitOf(this.shown[middle]);

			if (other.exit[k] < t || (other.exit[k] === t && other.index < line.index))
				low = middle + 1;
			else
				high = middle;
		}
		return Math.min(low, this.shown.length - 1);
	}

	wire() {
		const canvas = $("time"), view = this.view, list = $("list");
		let drag = null;

		canvas.addEventListener("wheel", event => {
			event.preventDefault();
			if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
				view.move((event.deltaX || event.deltaY) / 1000);
			else
				view.zoom(Math.exp(event.deltaY / 400), view.timeAt(Math.max(event.offsetX, GUTTER)));
		}, { passive: false });
		canvas.addEventListener("pointerdown", event => {
			drag = { x: event.clientX, from: view.from, to: view.to, moved: false };
			canvas.setPointerCapture(event.pointerId);
		});
		canvas.addEventListener("pointermove", event => {
			this.hover(event);
			if (!drag)
				return;
			const by = (drag.x - event.clientX) / view.width() * (drag.to - drag.from);

			drag.moved = drag.moved || Math.abs(drag.x - event.clientX) > 3;
			if (drag.moved) {
				const most = Math.max(-drag.from, Math.min(by, this.total - drag.to));

				view.show(drag.from + most, drag.to + most);
			}
		});
		canvas.addEventListener("pointerup", event => {
			const hit = drag && !drag.moved && view.exitAt(event.offsetX, event.offsetY);

			drag = null;
			if (hit)
				this.select(this.place(hit), false);
		});
		canvas.addEventListener("dblclick", () => this.zoomTo());
		canvas.addEventListener("keydown", event => this.key(event));
		list.addEventListener("keydown", event => this.key(event));
		list.addEventListener("scroll", () => requestAnimationFrame(() => this.rows()));
		$("before").addEventListener("click", () => this.select(this.at - 1, true));
		$("after").addEventListener("click", () => this.select(this.at + 1, true));
		$("in").addEventListener("click", () => view.zoom(.5));
		$("out").addEventListener("click", () => view.zoom(2));
		$("to").addEventListener("click", () => this.zoomTo());
		$("all").addEventListener("click", () => view.show(0, this.total));
	}

	hover(event) {
		const hit = this.view.exitAt(event.offsetX, event.offsetY);

		$("where").textContent = event.offsetX < GUTTER ? "" :
			momentText(this.view.timeAt(event.offsetX),
				(this.view.to - this.view.from) / this.view.width()) +
			(hit ? `, exit ${hit[0].record(hit[1]).number}: ${reasonName(hit[0].reason[hit[1]])}` : "");
	}

	key(event) {
		const view = this.view, step = Math.max(1, Math.floor($("list").clientHeight / ROW) - 1);
		const keys = {
			ArrowLeft: () => event.shiftKey ? view.move(-.1) : this.select(this.at - 1, true),
			ArrowRight: () => event.shiftKey ? view.move(.1) : this.select(this.at + 1, true),
			ArrowUp: () => this.select(this.at - 1, true),
			ArrowDown: () => this.select(this.at + 1, true),
			PageUp: () => this.select(this.at - step, true),
			PageDown: () => this.select(this.at + step, true),
			Home: () => this.select(0, true),
			End: () => this.select(this.shown.length - 1, true),
			Enter: () => this.zoomTo(),
			"+": () => view.zoom(.5),
			"=": () => view.zoom(.5),
			"-": () => view.zoom(2),
			0: () => view.show(0, this.total),
		};

		if (!keys[event.key] || event.ctrlKey || event.altKey || event.metaKey)
			return;
		event.preventDefault();
		keys[event.key]();
	}
}

let page;

async function main() {
	const starts = HEAD.vcpus.map(v => BigInt(v.start)).filter(start => start);
	const base = starts.length ? starts.reduce((a, b) => a < b ? a : b) : 0n;
	const lines = [];

	for (let i = 0; i < HEAD.vcpus.length; i++) {
		const head = HEAD.vcpus[i], script = $("vcpu" + i);

		lines.push(new Line(i, head, head.rows ? await unpack(script.textContent) : new Uint8Array(0), base));
		script.remove();
	}
	if (!lines.some(line => line.n)) {
		$("summary").textContent = "There was no VM exit.";
		return;
	}
	page = new Page(lines);
}

main().catch(error => {
	$("summary").textContent = "This browser cannot show the timeline: " + error.message +
		". Chromium 80, Firefox 113 and Safari 16.4 can, and all later ones.";
});
