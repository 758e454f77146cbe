/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The exits, unpacked, and the time line that is drawn from them.
 *
 * A vCPU's exits stay the rows that they are in the page; what is drawn all the
 * time (times and reasons) is taken out of them once, into typed arrays. Times are
 * ticks since the first VM entry. Where there are more exits than pixels, a column
 * shows which part of its time went where; no exit is left out.
 */
"use strict";

const HEAD = JSON.parse(document.getElementById("head").textContent);
const TO_USER = 1;

async function unpack(base64) {
	const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
	const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));

	return new Uint8Array(await new Response(stream).arrayBuffer());
}

class Line {
	constructor(index, head, bytes, base) {
		const n = head.rows;

		this.index = index;
		this.n = n;
		this.exits = head.exits;
		this.dropped = head.dropped;
		this.rows = new DataView(bytes.buffer);
		this.from = new Float64Array(n);	/* of the guest's turn; NaN: not known */
		this.exit = new Float64Array(n);
		this.user = new Float64Array(n);	/* @end: never */
		this.end = new Float64Array(n);
		this.reason = new Uint8Array(n);

		let last = Number(BigInt(head.start) - base), number = 0;

		for (let i = 0; i < n; i++) {
			const at = i * HEAD.row;
			const time = name => {
				/* In two halves: the TSC itself has too many bits for a Number. */
				const offset = at + HEAD.fields[name][0];

				return (this.rows.getUint32(offset + 4, true) - Number(base >> 32n)) * 2 ** 32 +
					this.rows.getUint32(offset, true) - Number(base & 0xffffffffn);
			};
			const get = name => this.rows.getUint32(at + HEAD.fields[name][0], true);
			const toUser = get("flags") & TO_USER;
			const entered = get("entry_tsc") ||
				this.rows.getUint32(at + HEAD.fields.entry_tsc[0] + 4, true);

			this.exit[i] = time("exit_tsc");
			this.end[i] = entered ? time("entry_tsc") : toUser ? time("user_tsc") : this.exit[i];
			this.user[i] = toUser ? time("user_tsc") : this.end[i];
			this.reason[i] = get("reason") & 0xff;
			/* Exits that were dropped leave a gap. */
			this.from[i] = i && get("number") !== number + 1 ? NaN : last;
			number = get("number");
			last = this.end[i];
		}
	}

	/* An exit with all that was recorded of it */
	record(i) {
		const e = {};

		for (const [name, [offset, size, count]] of Object.entries(HEAD.fields)) {
			const values = [];

			for (let k = 0; k < count; k++) {
				const at = i * HEAD.row + offset + k * size;

				values.push(size === 8 ? this.rows.getBigUint64(at, true) :
					size === 4 ? this.rows.getUint32(at, true) :
					size === 2 ? this.rows.getUint16(at, true) : this.rows.getUint8(at));
			}
			e[name] = count === 1 ? values[0] : values;
		}
		e.user |= 0;
		e.reason |= 0;
		return e;
	}

	/* The first exit whose turn in root mode ends at @t or later */
	find(t) {
		let low = 0, high = this.n;

		while (low < high) {
			const middle = (low + high) >> 1;

			if (this.end[middle] < t)
				low = middle + 1;
			else
				high = middle;
		}
		return low;
	}
}

function timeText(ticks) {
	let value = ticks * 1e6 / (HEAD.tsc_khz || 1);
	const units = ["ns", "µs", "ms", "s"];
	let unit = 0;

	while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}
	return (value ? value.toPrecision(Math.abs(value) >= 100 ? 4 : 3) : "0")
		.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "") + " " + units[unit];
}

/* A point in time, such that two that are @step ticks apart look different */
function momentText(ticks, step) {
	const ns = ticks * 1e6 / (HEAD.tsc_khz || 1), least = Math.max(step, 1) * 1e6 / (HEAD.tsc_khz || 1);
	const [unit, name] = ns >= 1e9 ? [1e9, "s"] : ns >= 1e6 ? [1e6, "ms"] :
		ns >= 1e3 ? [1e3, "µs"] : [1, "ns"];
	const digits = Math.ceil(-Math.log10(least / unit) - 1e-9);

	return ns ? (ns / unit).toFixed(Math.min(Math.max(digits, 0), 9)) + " " + name : "0";
}

/* White or black, whichever is read more easily on @color */
function inkOn(color) {
	const [r, g, b] = [1, 3, 5].map(at => (parseInt(color.slice(at, at + 2), 16) / 255) ** 2.2);

	return .2126 * r + .7152 * g + .0722 * b > .18 ? "#000000" : "#ffffff";
}

/* Told apart with all kinds of eyes: Okabe and Ito's colours, and some between */
const COLORS = ["#d55e00", "#009e73", "#cc79a7", "#e69f00", "#0072b2", "#8d6fd1", "#a6761d",
	"#6b9e1f", "#c2185b", "#5f7f8c"];
const OTHER_COLOR = "#808890";

const GUTTER = 132, AXIS = 24, BAND = 26, GAP = 4, LANE = 3 * (BAND + GAP) + 14;
const BANDS = ["guest", "module", "launcher"];

class View {
	constructor(canvas, lines, total, color) {
		this.canvas = canvas;
		this.lines = lines;
		this.total = total;
		this.color = color;	/* by reason */
		this.only = -1;		/* a reason: the others are pale */
		this.selected = null;	/* [line, index] */
		this.from = 0;
		this.to = total;
		this.frames = [];	/* milliseconds that each drawing took */
		this.asked = false;
		new ResizeObserver(() => this.ask()).observe(canvas);
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.ask());
		canvas.style.height = AXIS + lines.length * LANE + 4 + "px";
	}

	/* Drawn once a frame, however often it is asked for */
	ask() {
		if (this.asked)
			return;
		this.asked = true;
		requestAnimationFrame(() => {
			const begin = performance.now();

			this.asked = false;
			this.draw();
			this.frames.push(performance.now() - begin);
		});
	}

	show(from, to) {
		const least = Math.min(20, this.total), length = Math.max(least, Math.min(to - from, this.total));

		/* Around the same middle when it gets no smaller */
		from = (from + to - length) / 2;
		this.from = Math.max(0, Math.min(from, this.total - length));
		this.to = this.from + length;
		this.ask();
	}

	/* @factor: below 1 zooms in; @at: the time that stays where it is */
	zoom(factor, at = (this.from + this.to) / 2) {
		const length = Math.min(Math.max((this.to - this.from) * factor, 20), this.total);
		const share = (at - this.from) / (this.to - this.from);

		this.show(at - length * share, at + length * (1 - share));
	}

	move(share) {
		const by = Math.max(-this.from, Math.min(share * (this.to - this.from), this.total - this.to));

		this.show(this.from + by, this.to + by);
	}

	width() {
		return Math.max(50, this.canvas.clientWidth - GUTTER);
	}

	timeAt(x) {
		return this.from + (x - GUTTER) / this.width() * (this.to - this.from);
	}

	/* The exit at a place of the canvas: the one in whose turn it is, or the next */
	exitAt(x, y) {
		const lane = Math.floor((y - AXIS) / LANE), line = this.lines[lane];

		if (!line || !line.n || x < GUTTER)
			return null;

		const t = this.timeAt(x), i = Math.min(line.find(t), line.n - 1);
		const pixel = (this.to - this.from) / this.width();

		/* A narrow one is hit from beside it, too. */
		if (i && line.exit[i] > t && t - line.end[i - 1] < 3 * pixel &&
		    t - line.end[i - 1] < line.exit[i] - t)
			return [line, i - 1];
		return [line, i];
	}

	draw() {
		const scale = devicePixelRatio || 1, canvas = this.canvas;
		const width = canvas.clientWidth, height = canvas.clientHeight;
		const style = getComputedStyle(document.documentElement);

		if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
			canvas.width = Math.round(width * scale);
			canvas.height = Math.round(height * scale);
		}
		this.c = canvas.getContext("2d");
		this.c.setTransform(scale, 0, 0, scale, 0, 0);
		this.c.clearRect(0, 0, width, height);
		this.c.font = "12px system-ui, sans-serif";
		this.c.textBaseline = "middle";
		this.theme = {};
		for (const name of ["text", "quiet", "line", "panel", "guest", "accent", "page"])
			this.theme[name] = style.getPropertyValue("--" + name).trim();
		this.axis();
		this.lines.forEach((line, lane) => this.lane(line, AXIS + lane * LANE));
	}

	axis() {
		const c = this.c, width = this.width(), length = this.to - this.from;
		const unit = HEAD.tsc_khz / 1e6;	/* ticks in a nanosecond */
		let step = 10 ** Math.floor(Math.log10(length / unit / (width / 110)));

		step *= [1, 2, 5, 10].find(k => step * k >= length / unit / (width / 110)) || 10;
		c.fillStyle = this.theme.quiet;
		c.strokeStyle = this.theme.line;
		c.lineWidth = 1;
		c.textAlign = "center";
		for (let t = Math.ceil(this.from / unit / step) * step; t * unit <= this.to; t += step) {
			const x = Math.round(GUTTER + (t * unit - this.from) / length * width) + .5;

			c.beginPath();
			c.moveTo(x, AXIS - 5);
			c.lineTo(x, this.canvas.clientHeight);
			c.stroke();
			if (x > GUTTER + 24 && x < GUTTER + width - 24)
				c.fillText(momentText(t * unit, step * unit), x, 10);
		}
	}

	lane(line, top) {
		const c = this.c, width = this.width();

		c.textAlign = "left";
		c.fillStyle = this.theme.text;
		c.font = "600 12px system-ui, sans-serif";
		c.fillText("vCPU " + line.index, 8, top + BAND / 2);
		c.font = "12px system-ui, sans-serif";
		BANDS.forEach((name, k) => {
			const y = top + k * (BAND + GAP);

			c.fillStyle = this.theme.panel;
			c.fillRect(GUTTER, y, width, BAND);
			c.fillStyle = this.theme.quiet;
			c.textAlign = "right";
			c.fillText(name, GUTTER - 8, y + BAND / 2);
		});

		const first = line.find(this.from);
		let last = first;

		c.save();
		c.beginPath();
		c.rect(GUTTER, top, width, LANE);
		c.clip();
		/* One behind what is seen: the guest's turn before it may be seen. */
		for (let low = first, high = line.n; low < high;) {
			const middle = (low + high) >> 1;

			if (line.exit[middle] <= this.to)
				low = middle + 1;
			else
				high = middle;
			last = low;
		}
		if (last - first > width / 3)
			this.columns(line, first, last, top);
		else
			this.pieces(line, first, last, top);
		this.mark(line, top);
		c.restore();
	}

	/* Every turn as a box of its own */
	pieces(line, first, last, top) {
		const c = this.c, scale = this.width() / (this.to - this.from);
		const box = (from, to, band, color, pale, text) => {
			const left = Math.max(GUTTER - 2, GUTTER + (from - this.from) * scale);
			const right = Math.min(GUTTER + this.width() + 2, GUTTER + (to - this.from) * scale);
			const y = top + band * (BAND + GAP), wide = Math.max(right - left, 1);

			if (!(to >= from) || right < GUTTER || left > GUTTER + this.width())
				return;
			c.globalAlpha = pale ? .25 : 1;
			c.fillStyle = color;
			c.fillRect(left, y, wide, BAND);
			const at = Math.max(left, GUTTER) + 4;

			if (wide > 20 && c.measureText(text).width < right - at - 2) {
				c.fillStyle = band ? inkOn(color) : this.theme.text;
				c.fillText(text, at, y + BAND / 2);
			}
			c.globalAlpha = 1;
		};

		c.textAlign = "left";
		for (let i = first; i < Math.min(last + 1, line.n); i++) {
			const reason = line.reason[i], color = this.color(reason);
			const pale = this.only >= 0 && reason !== this.only;

			box(line.from[i], line.exit[i], 0, this.theme.guest, false, "non-root");
			box(line.exit[i], line.user[i], 1, color, pale, HEAD.reasons[reason] || "reason " + reason);
			if (line.end[i] > line.user[i])
				box(line.user[i], line.end[i], 2, color, pale, "user space");
		}
	}

	/* Each column of pixels shows which part of its time went where. */
	columns(line, first, last, top) {
		const c = this.c, width = Math.ceil(this.width()), scale = this.width() / (this.to - this.from);
		const reasons = [...this.present];
		const slot = new Int16Array(256).fill(-1), n = reasons.length;

		reasons.forEach((reason, k) => {
			slot[reason] = k;
		});
		/* In pixels: the guest's, then each reason in the module, then in the launcher */
		const part = new Float32Array(width * (1 + 2 * n)), stride = 1 + 2 * n;
		const add = (from, to, k) => {
			let left = (from - this.from) * scale, right = (to - this.from) * scale;

			if (!(right > left) || right <= 0 || left >= width)
				return;
			left = Math.max(left, 0);
			right = Math.min(right, width);
			let x = Math.floor(left);

			if (x === Math.floor(right)) {
				part[x * stride + k] += right - left;
				return;
			}
			part[x * stride + k] += x + 1 - left;
			for (x++; x < Math.floor(right); x++)
				part[x * stride + k] = 1;
			if (x < width)
				part[x * stride + k] += right - x;
		};

		for (let i = first; i < Math.min(last + 1, line.n); i++) {
			const k = slot[line.reason[i]];

			add(line.from[i], line.exit[i], 0);
			add(line.exit[i], line.user[i], 1 + k);
			if (line.end[i] > line.user[i])
				add(line.user[i], line.end[i], 1 + n + k);
		}

		const bar = (k, band, color, pale, base) => {
			c.fillStyle = color;
			c.globalAlpha = pale ? .25 : 1;
			for (let x = 0; x < width; x++) {
				const share = Math.min(1, part[x * stride + k]);

				if (!share)
					continue;
				/* What is there at all is seen. */
				const high = Math.max(share * BAND, .5);

				c.fillRect(GUTTER + x, top + band * (BAND + GAP) + BAND - base[x] - high, 1, high);
				base[x] += high;
			}
			c.globalAlpha = 1;
		};
		const bottoms = BANDS.map(() => new Float32Array(width));

		bar(0, 0, this.theme.guest, false, bottoms[0]);
		for (let k = 0; k < n; k++) {
			const pale = this.only >= 0 && reasons[k] !== this.only;

			bar(1 + k, 1, this.color(reasons[k]), pale, bottoms[1]);
			bar(1 + n + k, 2, this.color(reasons[k]), pale, bottoms[2]);
		}
	}

	/* Where is the exit that is selected? */
	mark(line, top) {
		if (!this.selected || this.selected[0] !== line)
			return;
		const c = this.c, i = this.selected[1], scale = this.width() / (this.to - this.from);
		const left = GUTTER + (line.exit[i] - this.from) * scale;
		const right = Math.max(left + 2, GUTTER + (line.end[i] - this.from) * scale);
		const bottom = top + 3 * (BAND + GAP);

		c.strokeStyle = this.theme.text;
		c.lineWidth = 2;
		c.strokeRect(left - 1, top + BAND + 2, right - left + 2, bottom - top - BAND - 4);
		c.fillStyle = this.theme.text;
		c.beginPath();
		c.moveTo(left, bottom);
		c.lineTo(left - 6, bottom + 9);
		c.lineTo(left + 6, bottom + 9);
		c.fill();
	}
}
