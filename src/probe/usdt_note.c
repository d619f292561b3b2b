/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Usdt_note: each note is a header (three words), its owner's name and its contents, both padded to 4
 * bytes. Contents: three addresses, then three strings one after the other.
 */
#include "probe/usdt_note.h"

#include <elf.h>
#include <string.h>

#include "base/util.h"

#define OWNER "stapsdt"
#define TYPE_STAPSDT 3

/* The string at *at, which moves behind its NUL; NULL when there is none. */
static const char *string_take(const char **at, const char *end)
{
	const char *s = *at, *nul = memchr(s, 0, (size_t)(end - s));

	if (!nul)
		return NULL;
	*at = nul + 1;
	return s;
}

static bool contents_parse(const char *at, const char *end, struct usdt_note *out)
{
	uint64_t words[3];

	if ((size_t)(end - at) < sizeof(words))
		return false;
	memcpy(words, at, sizeof(words));
	at += sizeof(words);
	*out = (struct usdt_note){ .location = words[0], .base = words[1], .semaphore = words[2] };
	out->provider = string_take(&at, end);
	out->name = out->provider ? string_take(&at, end) : NULL;
	out->args = out->name ? string_take(&at, end) : NULL;
	if (!out->name || !*out->provider || !*out->name)
		return false;
	/* Assembled by hand, the last string may be missing. */
	if (!out->args)
		out->args = "";
	return true;
}

/* How much a part of `n` bytes takes of the `left` there are; 0 when it does not fit. */
static size_t padded(uint32_t n, size_t left)
{
	size_t all = ((size_t)n + 3) & ~(size_t)3;

	/* The last one may lack its padding. */
	return n > left ? 0 : MIN(all, left);
}

int usdt_notes_each(const void *data, size_t len, int (*fn)(const struct usdt_note *note, void *ctx), void *ctx)
{
	const char *at = data;
	int r = 0;

	while (!r && len > sizeof(Elf64_Nhdr)) {
		const char *owner, *contents;
		size_t owner_len, contents_len;
		struct usdt_note note;
		Elf64_Nhdr header;

		memcpy(&header, at, sizeof(header));
		len -= sizeof(header);
		owner = at + sizeof(header);
		owner_len = padded(header.n_namesz, len);
		contents = owner + owner_len;
		contents_len = padded(header.n_descsz, len - owner_len);
		if ((header.n_namesz && !owner_len) || (header.n_descsz && !contents_len))
			return 0;
		if (header.n_type == TYPE_STAPSDT && header.n_namesz == sizeof(OWNER) &&
		    !memcmp(owner, OWNER, sizeof(OWNER)) &&
		    contents_parse(contents, contents + header.n_descsz, &note))
			r = fn(&note, ctx);
		at = contents + contents_len;
		len -= owner_len + contents_len;
	}
	return r;
}
