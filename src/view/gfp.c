/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GFP flags as words (%gr), as the kernel's own messages name them: the name that covers most comes first, what is
 * left is named bit by bit, and bits that differ between kernels stay a number.
 */
#include "view/parts.h"

#include "base/util.h"

#define DMA 0x1u
#define HIGHMEM 0x2u
#define DMA32 0x4u
#define MOVABLE 0x8u
#define RECLAIMABLE 0x10u
#define HIGH 0x20u
#define IO 0x40u
#define FS 0x80u
#define ZERO 0x100u
#define DIRECT_RECLAIM 0x400u
#define KSWAPD_RECLAIM 0x800u
#define WRITE 0x1000u
#define NOWARN 0x2000u
#define RETRY_MAYFAIL 0x4000u
#define NOFAIL 0x8000u
#define NORETRY 0x10000u
#define MEMALLOC 0x20000u
#define COMP 0x40000u
#define NOMEMALLOC 0x80000u
#define HARDWALL 0x100000u
#define THISNODE 0x200000u
#define ACCOUNT 0x400000u
#define ZEROTAGS 0x800000u

#define RECLAIM (DIRECT_RECLAIM | KSWAPD_RECLAIM)
#define KERNEL (RECLAIM | IO | FS)
#define USER (KERNEL | HARDWALL)
#define HIGHUSER_MOVABLE (USER | HIGHMEM | MOVABLE)
#define TRANSHUGE_LIGHT ((HIGHUSER_MOVABLE | COMP | NOMEMALLOC | NOWARN) & ~RECLAIM)

static const struct {
	const char *name;
	uint32_t bits;
} names[] = {
	{ "GFP_TRANSHUGE", TRANSHUGE_LIGHT | DIRECT_RECLAIM }, { "GFP_TRANSHUGE_LIGHT", TRANSHUGE_LIGHT },
	{ "GFP_HIGHUSER_MOVABLE", HIGHUSER_MOVABLE }, { "GFP_HIGHUSER", USER | HIGHMEM }, { "GFP_USER", USER },
	{ "GFP_KERNEL_ACCOUNT", KERNEL | ACCOUNT }, { "GFP_KERNEL", KERNEL }, { "GFP_NOFS", RECLAIM | IO },
	{ "GFP_ATOMIC", HIGH | KSWAPD_RECLAIM }, { "GFP_NOIO", RECLAIM }, { "GFP_NOWAIT", KSWAPD_RECLAIM | NOWARN },
	{ "GFP_DMA", DMA }, { "__GFP_HIGHMEM", HIGHMEM }, { "GFP_DMA32", DMA32 }, { "__GFP_HIGH", HIGH }, { "__GFP_IO", IO },
	{ "__GFP_FS", FS }, { "__GFP_NOWARN", NOWARN }, { "__GFP_RETRY_MAYFAIL", RETRY_MAYFAIL },
	{ "__GFP_NOFAIL", NOFAIL }, { "__GFP_NORETRY", NORETRY }, { "__GFP_COMP", COMP }, { "__GFP_ZERO", ZERO },
	{ "__GFP_NOMEMALLOC", NOMEMALLOC }, { "__GFP_MEMALLOC", MEMALLOC }, { "__GFP_HARDWALL", HARDWALL },
	{ "__GFP_THISNODE", THISNODE }, { "__GFP_RECLAIMABLE", RECLAIMABLE }, { "__GFP_MOVABLE", MOVABLE },
	{ "__GFP_ACCOUNT", ACCOUNT }, { "__GFP_WRITE", WRITE }, { "__GFP_DIRECT_RECLAIM", DIRECT_RECLAIM },
	{ "__GFP_KSWAPD_RECLAIM", KSWAPD_RECLAIM }, { "__GFP_ZEROTAGS", ZEROTAGS },
};

void gfp_text(struct strbuf *out, uint64_t flags)
{
	const char *between = "";

	if (!flags)
		strbuf_addstr(out, "none");
	for (size_t i = 0; i < ARRAY_SIZE(names) && flags; i++) {
		if ((flags & names[i].bits) != names[i].bits)
			continue;
		flags &= ~(uint64_t)names[i].bits;
		strbuf_addf(out, "%s%s", between, names[i].name);
		between = "|";
	}
	if (flags)
		strbuf_addf(out, "%s0x%llx", between, (unsigned long long)flags);
}
