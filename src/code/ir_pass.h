/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the passes over the IR share; nobody outside ir_*.c needs it. */
#ifndef SONDE_CODE_IR_PASS_H
#define SONDE_CODE_IR_PASS_H

#include "code/ir.h"

#endif
