/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Columns: a record as cells under titles, for every view that shows rows (table, CSV, series). A record
 * with members and a map become columns here, once; views only lay them out.
 */
#ifndef SONDE_VIEW_COLUMNS_H
#define SONDE_VIEW_COLUMNS_H

#include "view/view.h"

/* What of a value a column shows. */
enum cell_part { CELL_WHOLE, CELL_COUNT, CELL_AVERAGE, CELL_TOTAL };

struct column {
	char *title;             /* owned */
	const struct type *type; /* of what lies at `field` */
	struct field field;      /* where it lies in the key or in the value */
	bool in_key;             /* of a map */
	enum cell_part part;
	bool right;              /* numbers end at the same column */
	uint32_t width;          /* characters; 0: as it comes */
	bool is_cut;             /* what is longer is cut, as there is no room */
};

struct columns {
	struct column *v;
	uint32_t n;
	const struct type *type; /* the record's type, or */
	const struct map *map;   /* the map, that they were made for */
};

/*
 * Columns of the values of print(): a record, a tuple or a struct has one for each member, all else one.
 * `spec` (may be NULL) gives titles and widths in order: "PID:7,COMM:16,NAME". Titles without a spec are
 * the members' names in capitals. A spec that has their names at other places gives widths by name. 0 or -ENOMEM.
 */
int columns_of_type(struct columns *c, const struct type *t, const char *spec);
/* Columns of a map: its key's parts, then its value; stats() has three. */
int columns_of_map(struct columns *c, const struct map *m, const char *spec);
void columns_free(struct columns *c);
/* Whether the rows of `c` can stand below those of `before`, under the same titles; they then get their widths. */
bool columns_continue(struct columns *c, const struct columns *before);

/* One cell as text, without padding. key is NULL for what is no map. */
void cell_text(const struct view *v, struct strbuf *out, const struct column *col, const uint8_t *key,
	       const uint8_t *value, int64_t div);
/* The number in a cell. False: it is none. */
bool cell_int(const struct column *col, const uint8_t *key, const uint8_t *value, int64_t *number);

#endif
