/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault: a helper of the kernel has failed or found nothing, at this place of the script (-k). Nobody calls it: the lowering
 * sends its event where it would otherwise only count.
 */
#include <errno.h>
#include <string.h>

#include "code/func/func_priv.h"

/* What it means for the person; NULL: what the number of the error says. */
static const char *fault_meaning(const char *helper, int32_t code)
{
	if (!strcmp(helper, "map_delete_elem") && code == -ENOENT)
		return "Can't delete map element because it does not exist.";
	if (!strcmp(helper, "map_lookup_elem"))
		return "Can't lookup map element because it does not exist.";
	return NULL;
}

static int fault_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	struct record rec = { .kind = REC_MESSAGE, .sev = SEV_WARNING, .span = site->span, .label = "helper_error",
			      .helper = site->text, .shows_source = true };
	int32_t code = 0;
	char name[80];

	if (len >= sizeof(code))
		memcpy(&code, data, sizeof(code));
	rec.number = (uint64_t)(int64_t)code;
	rec.text = fault_meaning(site->text, code);
	if (!rec.text)
		rec.text = strerror_r(-code, name, sizeof(name));
	rec.text_len = strlen(rec.text);
	return act->record(act->ctx, &rec);
}

const struct func_def func_fault = {
	.name = "helper error", .signature = "", .summary = "", .flags = FUNC_ASYNC | FUNC_VOID | FUNC_FAULT, .act = fault_act,
};

/* ---- division by zero ---- */

static int zero_divisor_act(const struct act *act, const struct site *site, const uint8_t *data, uint32_t len)
{
	static const char text[] = "Divide or modulo by 0 detected. This can lead to unexpected results. "
				   "1 is being used as the result.";
	struct record rec = { .kind = REC_MESSAGE, .sev = SEV_WARNING, .span = site->span, .text = text,
			      .text_len = sizeof(text) - 1, .shows_source = true };

	(void)data;
	(void)len;
	return act->record(act->ctx, &rec);
}

const struct func_def func_zero_divisor = {
	.name = "division by zero", .signature = "", .summary = "", .flags = FUNC_ASYNC | FUNC_VOID | FUNC_FAULT,
	.act = zero_divisor_act,
};
