#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# A page of minivmm-run --trace in headless Chromium:
#
#	drive.pl PAGE [PICTURES]
#
# Says in TAP whether it draws, zooms and shows the VM exit that is clicked at, how long a
# frame takes, and that nothing is fetched. Puts screenshots into the folder PICTURES.
# Talks WebDriver to Debian's chromedriver.
use strict;
use warnings;
use Cwd qw(abs_path);
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64;

my ($page, $pictures) = @ARGV;
die "usage: drive.pl PAGE [PICTURES]\n" unless defined $page;
$page = abs_path($page);
my $count = 0;

sub ok {
	my ($good, $name) = @_;

	$count++;
	print $good ? "" : "not ", "ok $count - $name\n";
	return $good;
}

sub is {
	my ($got, $want, $name) = @_;

	ok($got eq $want, $name) or print "#   got      $got\n#   expected $want\n";
}

my $free = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die "no port: $!\n";
my $port = $free->sockport;
close $free;
my $driver = fork;
if (!$driver) {
	open STDOUT, ">", "/dev/null";
	open STDERR, ">", "/dev/null";
	exec "chromedriver", "--port=$port" or exit 127;
}
my $http = HTTP::Tiny->new(timeout => 120);
my $base = "http://127.0.0.1:$port";
my $session;

sub call {
	my ($method, $path, $body) = @_;
	my $answer = $http->request($method, "$base$path",
		$body ? { content => encode_json($body),
			  headers => { "content-type" => "application/json" } } : {});
	my $value = eval { decode_json($answer->{content})->{value} };

	die "$path: " . substr($answer->{content}, 0, 300) . "\n" unless $answer->{success};
	return $value;
}

END {
	my $status = $?;

	eval { call("DELETE", $session) } if $session;
	if ($driver) {
		kill "TERM", $driver;
		waitpid $driver, 0;
	}
	$? = $status;
}

sub script {
	return call("POST", "$session/execute/sync", { script => shift, args => [@_] });
}

sub later {
	return call("POST", "$session/execute/async", { script => shift, args => [@_] });
}

sub picture {
	my ($name) = @_;

	return unless defined $pictures;
	open my $file, ">", "$pictures/$name.png" or die "$pictures/$name.png: $!\n";
	binmode $file;
	print $file decode_base64(call("GET", "$session/screenshot"));
	close $file;
}

for (1 .. 100) {
	last if $http->get("$base/status")->{success};
	select undef, undef, undef, 0.1;
}
$session = "/session/" . call("POST", "/session", { capabilities => { alwaysMatch => {
	browserName => "chrome",
	"goog:chromeOptions" => { args => ["--headless=new", "--no-sandbox", "--disable-gpu",
		"--window-size=1300,1000", "--hide-scrollbars"] },
	"goog:loggingPrefs" => { browser => "ALL" },
} } })->{sessionId};
call("POST", "$session/timeouts", { script => 60000, pageLoad => 60000 });
call("POST", "$session/url", { url => "file://$page" });
# `page` is a binding of the script, not a property of the window.
my $ready;
for (1 .. 300) {
	$ready = script("return typeof page !== 'undefined' && page !== undefined");
	last if $ready;
	select undef, undef, undef, 0.1;
}
ok($ready, "the page comes up") or do { picture("broken"); print "1..$count\n"; exit 1 };

# What the file says, read by others than the page
open my $file, "<", $page or die "$page: $!\n";
my $text = do { local $/; <$file> };
my ($head) = $text =~ /<script id="head" type="application\/json">(.*?)<\/script>/s;
my $rows = 0;
$rows += $_->{rows} for @{decode_json($head)->{vcpus}};

is(script("return page.order.length"), $rows, "all VM exits are there: $rows");
my $sum = script(<<'END');
return [...document.querySelectorAll("#reasons tbody tr")]
	.reduce((n, tr) => n + Number(tr.cells[1].textContent.replace(/\D/g, "")), 0);
END
is($sum, $rows, "the chart's reasons make up all of them");
ok(script(<<'END'), "the time line has more than one colour");
const canvas = document.getElementById("time");
const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
const seen = new Set();
for (let i = 0; i < data.length; i += 4 * 7)
	seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
return seen.size > 3;
END
ok(script("return document.querySelectorAll('*').length < 2000"),
	"there is not an element for each exit");
picture("all");

# The third exit, by the keyboard; then zoom to it, and click where it is.
script("page.select(2, true); page.zoomTo()");
my $third = script("return document.getElementById('exit-title').textContent");
ok($third =~ /^VM exit 3\b/, "the third exit is shown: $third");
later("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))");
ok(script("return page.view.to - page.view.from < page.total"), "zooming shows less of the time");
picture("exit");
script("page.select(0, false)");
my $place = script(<<'END');
const view = page.view, line = page.lines[0], canvas = document.getElementById("time");
const box = canvas.getBoundingClientRect();
for (let y = 2; y < box.height; y += 2) {
	const hits = [];
	for (let x = 0; x < box.width; x++) {
		const hit = view.exitAt(x, y);
		if (hit && hit[0] === line && hit[1] === 2)
			hits.push(x);
	}
	if (hits.length > 4)
		return [Math.round(box.x + hits[hits.length >> 1]), Math.round(box.y + y + 4)];
}
return null;
END
if (ok(defined $place, "the third exit is somewhere to click at")) {
	call("POST", "$session/actions", { actions => [{ type => "pointer", id => "mouse",
		parameters => { pointerType => "mouse" }, actions => [
			{ type => "pointerMove", duration => 0, x => $place->[0], y => $place->[1] },
			{ type => "pointerDown", button => 0 }, { type => "pointerUp", button => 0 }] }] });
	is(script("return document.getElementById('exit-title').textContent"), $third,
		"a click shows it");
}
my $body = script("return document.getElementById('exit-body').textContent");
ok($body =~ /The instruction/ && $body =~ /What the processor told/ && $body =~ /SDM Vol\. 3/,
	"with the instruction, the fields and the section of the SDM");

# As a user zooms and goes on: by wheel and keys. What is below the pointer stays there.
my $wheel = script(<<'END');
const box = document.getElementById("time").getBoundingClientRect();
page.view.show(0, page.total);
return [Math.round(box.x + box.width / 2), Math.round(box.y + 40), page.total,
	page.view.timeAt(Math.round(box.x + box.width / 2) - box.x - 1)];
END
call("POST", "$session/actions", { actions => [{ type => "wheel", id => "wheel", actions => [
	{ type => "scroll", duration => 0, x => $wheel->[0], y => $wheel->[1],
	  deltaX => 0, deltaY => -400, origin => "viewport" }] }] });
my $near = script(<<'END', $wheel->[0]);
const box = document.getElementById("time").getBoundingClientRect(), view = page.view;
return [view.to - view.from, view.timeAt(arguments[0] - box.x - 1)];
END
ok($near->[0] < 0.5 * $wheel->[2] && abs($near->[1] - $wheel->[3]) < 0.01 * $wheel->[2],
	"the wheel zooms to where the pointer is");
script("page.select(0, false); document.getElementById('time').focus()");
call("POST", "$session/actions", { actions => [{ type => "key", id => "keys", actions => [
	map { ({ type => "keyDown", value => "\x{e014}" }, { type => "keyUp", value => "\x{e014}" }) }
		1, 2] }] });
is(script("return document.getElementById('exit-title').textContent"), $third,
	"two times the right arrow leads from the first exit to the third");

# One reason alone, from the chart
my $only = script(<<'END');
const button = document.querySelector("#reasons tbody button");
button.click();
const n = page.shown.length;
button.click();
return [n, Number(button.closest("tr").cells[1].textContent.replace(/\D/g, "")), page.shown.length];
END
ok($only->[0] == $only->[1] && $only->[2] == $rows, "a name in the chart shows its exits alone");

# Sixty frames of zooming in and out over the whole run
my $frames = later(<<'END');
const done = arguments[0], times = [], view = page.view;
let n = 0, last = 0;
view.show(0, page.total);
function frame(now) {
	if (last)
		times.push(now - last);
	last = now;
	if (n++ === 60)
		return done(times.sort((a, b) => a - b));
	view.zoom(n % 20 < 10 ? .6 : 1 / .6);
	requestAnimationFrame(frame);
}
requestAnimationFrame(frame);
END
printf "# %d VM exits: a frame takes %.1f ms (median), %.1f ms at most\n", $rows,
	$frames->[@$frames / 2], $frames->[-1];
ok(@$frames == 60, "sixty frames of zooming");

is(scalar @{script("return performance.getEntriesByType('resource')")}, 0, "nothing is fetched");
my @errors = grep { $_->{level} eq "SEVERE" } @{call("POST", "$session/se/log", { type => "browser" })};
is(join("; ", map { $_->{message} } @errors), "", "no error in the console");
print "1..$count\n";
