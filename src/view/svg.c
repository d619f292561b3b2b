/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Svg: the parts that all pictures have in common. */
#include "view/svg.h"

#include <math.h>
#include <string.h>

#include "base/util.h"

/* Light or dark as the person's desktop is. */
static const char common_style[] =
	":root { --page: #fdfcfa; --ink: #22201d; --faint: #77726a; --line: #e2ded6; --accent: #7a3fb8 }\n"
	"@media (prefers-color-scheme: dark) { :root { --page: #1d1c1a; --ink: #eeeae2; --faint: #9a948a; --line: #3a3733;"
	" --accent: #c79bff } }\n"
	"svg { background: var(--page) }\n"
	".page { fill: var(--page) }\n"
	"text { font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 11px; fill: var(--ink) }\n"
	".title { font-family: system-ui, 'DejaVu Sans', Verdana, sans-serif; font-size: 17px; font-weight: 600 }\n"
	".faint { fill: var(--faint) }\n"
	".rule { stroke: var(--line); stroke-width: 1 }\n";

bool svg_is_asked(const struct view *v)
{
	return path_ends(v->file, ".svg") || path_ends(v->file, ".html");
}

const char *svg_title(const struct view *v, const char *otherwise)
{
	const char *title = v->title && *v->title ? v->title : otherwise;
	const char *slash = strrchr(title, '/');

	return slash && slash[1] ? slash + 1 : title;
}

void svg_begin(struct view *v, const char *title, int height, const char *style)
{
	struct strbuf *out = &v->out;

	if (path_ends(v->file, ".html")) {
		strbuf_addstr(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>");
		xml_str(out, title);
		strbuf_addstr(out, "</title>\n<style>body { margin: 0; background: #fdfcfa } svg { display: block }\n"
			      "@media (prefers-color-scheme: dark) { body { background: #1d1c1a } }</style>\n</head>\n<body>\n");
	} else {
		strbuf_addstr(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	}
	strbuf_addf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" height=\"%d\" "
		    "viewBox=\"0 0 %d %d\">\n<title>", SVG_WIDTH, height, SVG_WIDTH, height);
	xml_str(out, title);
	strbuf_addf(out, "</title>\n<style>\n%s%s</style>\n", common_style, style);
	strbuf_addf(out, "<rect class=\"page\" width=\"100%%\" height=\"%d\" fill=\"#fdfcfa\"/>\n", height);
}

void svg_heading(struct view *v, int x, const char *title)
{
	strbuf_addf(&v->out, "<text class=\"title\" x=\"%d\" y=\"28\">", x);
	xml_str(&v->out, title);
	strbuf_addstr(&v->out, "</text>\n");
}

void svg_end(struct view *v, const char *script)
{
	if (script)
		strbuf_addf(&v->out, "<script><![CDATA[\n%s]]></script>\n", script);
	strbuf_addstr(&v->out, "</svg>\n");
	if (path_ends(v->file, ".html"))
		strbuf_addstr(&v->out, "</body>\n</html>\n");
}

/* ---- texts ---- */

/* Bytes of the character at `s`, 0 when there is none that XML may hold. */
static size_t character_len(const unsigned char *s, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
	uint32_t c;

	if (!n || n > len || s[0] >= 0xf5)
		return 0;
	c = n == 1 ? s[0] : s[0] & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || (c & 0xfffe) == 0xfffe)
		return 0;
	return c < 0x20 && c != '\n' ? 0 : c == 0x7f ? 0 : n;
}

void xml_text(struct strbuf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = character_len((const unsigned char *)s + i, len - i);

		if (!n)
			strbuf_addstr(out, "\xef\xbf\xbd");
		else if (strchr("<>&\"'", s[i]))
			strbuf_addf(out, "&#%d;", s[i]);
		else
			strbuf_add(out, s + i, n);
		i += n ? n : 1;
	}
}

void xml_str(struct strbuf *out, const char *s)
{
	xml_text(out, s, strlen(s));
}

void number_hundredths(struct strbuf *out, double v)
{
	uint64_t n = (uint64_t)(v * 100 + 0.5);
	const char digits[3] = { '.', (char)('0' + n / 10 % 10), (char)('0' + n % 10) };

	strbuf_addu64(out, n / 100);
	strbuf_add(out, digits, sizeof(digits));
}

void number_grouped(struct strbuf *out, uint64_t n)
{
	char text[32], *p = text + sizeof(text);
	unsigned digits = 0;

	do {
		if (digits && digits % 3 == 0)
			*--p = ',';
		*--p = (char)('0' + n % 10);
		digits++;
	} while (n /= 10);
	strbuf_add(out, p, (size_t)(text + sizeof(text) - p));
}

/* ---- colours ---- */

static uint32_t channel(double v)
{
	return (uint32_t)(MAX(0.0, MIN(1.0, v)) * 255 + 0.5);
}

uint32_t colour_hsl(double hue, double saturation, double lightness)
{
	static const double shift[] = { 0, 8, 4 };
	uint32_t rgb = 0;

	for (size_t i = 0; i < ARRAY_SIZE(shift); i++) {
		double k = fmod(shift[i] + hue / 30, 12), a = saturation * MIN(lightness, 1 - lightness);

		rgb = rgb << 8 | channel(lightness - a * MAX(-1.0, MIN(MIN(k - 3, 9 - k), 1.0)));
	}
	return rgb;
}

uint32_t colour_heat(double level)
{
	static const uint8_t steps[][3] = {
		{ 18, 12, 44 }, { 57, 15, 99 }, { 105, 25, 110 }, { 152, 40, 100 }, { 199, 62, 76 }, { 233, 96, 44 },
		{ 250, 148, 20 }, { 250, 203, 58 }, { 252, 250, 170 },
	};
	const size_t last = ARRAY_SIZE(steps) - 1;
	double at = MAX(0.0, MIN(1.0, level)) * (double)last;
	size_t i = MIN((size_t)at, last - 1);
	uint32_t rgb = 0;

	for (size_t c = 0; c < 3; c++)
		rgb = rgb << 8 | (uint32_t)(steps[i][c] + (steps[i + 1][c] - steps[i][c]) * (at - (double)i) + 0.5);
	return rgb;
}
