(function () {
'use strict';
var svg = document.querySelector('svg'), PAD = 10, CHAR = 6.63, width = 1200;
var byId = function (id) { return document.getElementById(id); };
var info = byId('info'), matched = byId('matched'), reset = byId('reset'), input = byId('search');
var total = Number(byId('frames').getAttribute('data-n')), up = byId('frames').getAttribute('data-grows') === 'up';
var frames = Array.prototype.map.call(document.querySelectorAll('#frames > g'), function (g, i) {
	var title = g.querySelector('title').textContent, rect = g.querySelector('rect'), text = g.querySelector('text');
	return { g: g, i: i, rect: rect, text: text, title: title, name: title.split('\n')[0], y: Number(rect.getAttribute('y')),
		a: Number(g.getAttribute('data-a')), n: Number(g.getAttribute('data-n')), hit: false };
});
var focus = null, regex = '';

function percent(n, of) {
	return (of ? 100 * n / of : 0).toFixed(2) + ' %';
}

function cut(name, room) {
	var most = Math.floor((room - 6) / CHAR), letters;
	if (most < 3)
		return '';
	letters = Array.from(name);
	return letters.length <= most ? name : letters.slice(0, most - 1).join('') + '\u2026';
}

function range() {
	return focus ? [focus.a, focus.n] : [0, total];
}

/* Places all frames for the window and the zoom. */
function layout() {
	var at = range(), room = width - 2 * PAD, scale = at[1] ? room / at[1] : 0;
	frames.forEach(function (f) {
		var left = (f.a - at[0]) * scale, right = left + f.n * scale, shown;
		var x = PAD + Math.max(0, left), w = Math.min(room, right) - Math.max(0, left);
		var above = focus && (up ? f.y > focus.y : f.y < focus.y);
		shown = right > 0.001 && left < room - 0.001 && w > 0.08 && (!above || f.n >= focus.n);
		f.g.setAttribute('class', (shown ? '' : 'gone ') + (above ? 'up ' : '') + (f.hit ? 'hit' : ''));
		if (!shown)
			return;
		f.rect.setAttribute('x', x.toFixed(2));
		f.rect.setAttribute('width', Math.max(w - (w > 2 ? 0.6 : 0), 0.1).toFixed(2));
		f.text.setAttribute('x', (x + 3).toFixed(2));
		f.text.textContent = cut(f.name, w);
	});
	reset.setAttribute('class', focus ? 'button' : 'gone');
	show_matched();
}

/* The share of what is on the screen that lies in frames that match, each part counted once. */
function show_matched() {
	var at = range(), end = -1, sum = 0, hits = frames.filter(function (f) { return f.hit; });
	hits.sort(function (x, y) { return x.a - y.a || y.n - x.n; });
	hits.forEach(function (f) {
		var from = Math.max(f.a, at[0]), to = Math.min(f.a + f.n, at[0] + at[1]);
		if (to <= end || to <= from)
			return;
		sum += to - Math.max(from, end);
		end = to;
	});
	matched.textContent = regex ? 'matched: ' + percent(sum, at[1]) : '';
}

function search(text) {
	var r = null;
	input.className = '';
	try {
		r = text ? new RegExp(text, text === text.toLowerCase() ? 'i' : '') : null;
	} catch (e) {
		input.className = 'bad';
	}
	regex = r ? text : '';
	frames.forEach(function (f) { f.hit = !!r && r.test(f.name); });
	layout();
	remember();
}

function zoom(f) {
	focus = f && f.n < total ? f : null;
	layout();
	remember();
}

/* The address holds what is looked at, so that it can be passed on. */
function remember() {
	var parts = [];
	if (focus)
		parts.push('zoom=' + focus.i);
	if (regex)
		parts.push('search=' + encodeURIComponent(regex));
	try {
		history.replaceState(null, '', parts.length ? '#' + parts.join('&') : location.href.split('#')[0]);
	} catch (e) {
		/* Some browsers do not allow it for files. */
	}
}

function recall() {
	var wanted = {};
	location.hash.slice(1).split('&').forEach(function (part) {
		var eq = part.indexOf('=');
		try {
			wanted[part.slice(0, eq)] = decodeURIComponent(part.slice(eq + 1));
		} catch (e) {
			wanted = {};
		}
	});
	focus = frames[Number(wanted.zoom)] || null;
	if (wanted.zoom === undefined || (focus && focus.n >= total))
		focus = null;
	input.value = wanted.search || '';
	search(input.value);
}

function resize() {
	width = Math.max(svg.parentNode && svg.parentNode.clientWidth || window.innerWidth || 1200, 480);
	svg.removeAttribute('viewBox');
	svg.setAttribute('width', width);
	byId('tools').setAttribute('transform', 'translate(' + (width - 1200) + ',0)');
	layout();
}

function frame_of(e) {
	var g = e.target.parentNode;
	return g && g.parentNode && g.parentNode.id === 'frames' ?
		frames[Array.prototype.indexOf.call(g.parentNode.children, g)] : null;
}

svg.addEventListener('mouseover', function (e) {
	var f = frame_of(e);
	info.textContent = f ? f.title.replace('\n', ' \u2014 ').replace(/\n/g, ', ') : info.getAttribute('data-idle');
});
svg.addEventListener('click', function (e) {
	var f = frame_of(e);
	if (f)
		zoom(f);
});
reset.addEventListener('click', function () { zoom(null); });
input.addEventListener('input', function () { search(input.value); });
window.addEventListener('resize', resize);
window.addEventListener('hashchange', recall);
window.addEventListener('keydown', function (e) {
	if (e.key === 'Escape' && document.activeElement === input && input.value) {
		input.value = '';
		search('');
	} else if (e.key === 'Escape') {
		input.blur();
		zoom(null);
	} else if ((e.key === '/' && document.activeElement !== input) || (e.key === 'f' && (e.ctrlKey || e.metaKey))) {
		e.preventDefault();
		input.focus();
		input.select();
	}
});
/* What is above the frames stays in sight. */
function follow() {
	byId('head').setAttribute('transform', 'translate(0,' + Math.max(window.scrollY, 0) + ')');
}

window.addEventListener('scroll', follow);
resize();
recall();
follow();
})();
