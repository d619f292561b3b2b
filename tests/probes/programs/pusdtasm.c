/* build: -O1 */
/* build nopie: -O1 -no-pie */
/* Markers written by hand, with operands that compilers rarely make. x86-64. */

#define MARKER(name, args) \
	"990: nop\n" \
	".pushsection .note.stapsdt, \"\", \"note\"\n" \
	".balign 4\n" \
	".4byte 992f - 991f, 994f - 993f, 3\n" \
	"991: .asciz \"stapsdt\"\n" \
	"992: .balign 4\n" \
	"993: .8byte 990b, _.stapsdt.base, 0\n" \
	".asciz \"hand\", \"" name "\", \"" args "\"\n" \
	"994: .balign 4\n" \
	".popsection\n"

/* As <sys/sdt.h> does it. */
__asm__(".pushsection .stapsdt.base, \"aG\", \"progbits\", .stapsdt.base, comdat\n"
	".weak _.stapsdt.base\n"
	".hidden _.stapsdt.base\n"
	"_.stapsdt.base: .space 1\n"
	".size _.stapsdt.base, 1\n"
	".popsection\n");

int table[8] __attribute__((used)) = { 100, -101, 102, -103, 104, -105, 106, -107 };
static const long hidden[2] __attribute__((used)) = { -1, 0x123456789 };

int main(void)
{
	void *at = table, *quarter = (void *)((unsigned long)table / 4);

	/* A page that nobody has touched so far is not there for the tracer either. */
	*(volatile int *)at;
	*(volatile const long *)hidden;

	__asm__ volatile(
		"movabs $0x8123456789abcdef, %%rax\n"
		"movabs $0xfedcba9876548391, %%rbx\n"
		MARKER("rax", "8@%%rax -8@%%rax 4@%%eax -4@%%eax 2@%%ax -2@%%ax 1@%%al -1@%%al 1@%%ah -1@%%ah")
		MARKER("rbx", "8@%%rbx -4@%%ebx -2@%%bx 1@%%bl -1@%%bh 8@%%ebx -8@%%bl")
		::: "rax", "rbx");
	__asm__ volatile(
		"movabs $0x8123456789abcdef, %%r8\n"
		"movabs $0xfedcba9876548391, %%r15\n"
		"mov $-2, %%rsi\n"
		MARKER("numbered", "8@%%r8 -4@%%r8d 2@%%r8w -1@%%r8b -8@%%r15 4@%%r15d -2@%%r15w 1@%%r15b 1@%%sil")
		::: "r8", "r15", "rsi");
	__asm__ volatile(
		"mov $3, %%ecx\n"
		"movabs $0xffffffff00000002, %%r9\n"
		MARKER("memory", "-4@(%%rdx) -4@4(%%rdx) -4@(%%rdx,%%rcx,4) -4@4(%%rdx,%%rcx,8) 4@-4+12(%%rdx) "
		       "-2@4(%%rdx) 1@4(%%rdx) -8@(%%rdx,%%rcx,8) -4@(,%%rdi,4) -4@8(,%%rdi,4) -4@(%%rdx,%%r9d,4)")
		:: "d"(at), "D"(quarter) : "rcx", "r9");
	__asm__ volatile(
		MARKER("symbols", "-4@table(%%rip) -4@table+4(%%rip) -4@8+table(%%rip) 8@hidden+8(%%rip) -8@hidden(%%rip) "
		       "-4@table+28 8@$table 8@%%rdx")
		:: "d"(at));
	__asm__ volatile(
		"xor %%edx, %%edx\n"
		MARKER("faults", "8@(%%rdx) 4@$1 8@16(%%rdx)")
		::: "rdx");
	__asm__ volatile(MARKER("refused", "8@%%xmm0 4f@%%xmm1 16@%%rax 8@%%fs:16 4@nowhere(%%rip) 4@x@GOTPCREL(%%rip) 4@$7") :::);
	return 0;
}
