/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Demangle: names of C++ and Rust as their programmers wrote them. C++ is read by the run-time library of
 * the C++ compiler, which is loaded when the first such name is seen; without it those names stay as they
 * are.
 */
#ifndef SONDE_SYMBOL_DEMANGLE_H
#define SONDE_SYMBOL_DEMANGLE_H

#include <stdbool.h>

#include "base/strbuf.h"

/* "ns::f(int)" of "_ZN2ns1fEi". Append it to *out; false, and nothing appended, when the name is not mangled
 * or cannot be read. */
bool demangle(const char *name, struct strbuf *out);
/* Does it look as if it were mangled? */
bool demangle_is_mangled(const char *name);

/* The two ways of Rust; for demangle(). */
bool demangle_rust_legacy(const char *name, struct strbuf *out);
bool demangle_rust_v0(const char *name, struct strbuf *out);

#endif
