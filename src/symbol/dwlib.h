/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dwlib: elfutils' libdw, loaded when the first question needs debugging information and not before, so
 * that it costs nobody start-up time and may be absent. Its functions are members of a table without
 * their prefix: dw->begin_elf() is dwarf_begin_elf().
 */
#ifndef SONDE_SYMBOL_DWLIB_H
#define SONDE_SYMBOL_DWLIB_H

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "base/report.h"

#define DWLIB_FUNCTIONS(X) \
	X(begin_elf) X(end) X(get_units) X(cuoffset) X(diecu) X(child) X(siblingof) X(tag) X(diename) \
	X(attr) X(attr_integrate) X(hasattr) X(hasattr_integrate) X(formudata) X(formsdata) X(formstring) \
	X(formref_die) X(formflag) X(whatform) X(bytesize) X(ranges) X(entrypc) X(lowpc) X(haspc) \
	X(getsrclines) X(getsrcfiles) X(filesrc) X(getsrc_die) X(onesrcline) X(lineno) X(linecol) X(lineaddr) \
	X(linesrc) X(linebeginstatement) X(lineendsequence) X(getlocation) X(getlocation_addr) \
	X(getcfi) X(getcfi_elf) X(cfi_end) X(cfi_addrframe) X(frame_cfa)

struct dwlib {
#define DWLIB_MEMBER(name) __typeof__(&dwarf_##name) name;
	DWLIB_FUNCTIONS(DWLIB_MEMBER)
#undef DWLIB_MEMBER
};

/* NULL when it cannot be loaded, which is reported (to a reporter that is not NULL) the first time. */
const struct dwlib *dwlib_get(const struct reporter *r);

/*
 * Is there memory enough to ask it something? Libdw ends the process when it finds none (its tables assert that they
 * have some, or go on without), so it is asked only while there is plenty, and otherwise there is nothing to be known.
 */
bool dwlib_may_be_asked(void);

#endif
