/* build: -O0 -g -no-pie */
/* build pie: -O0 -g -pie -fPIE -fomit-frame-pointer */
/* build opt: -O2 -g -fomit-frame-pointer */
/* build split: -O2 -g -gsplit-dwarf -fno-omit-frame-pointer */
/* build bare: -O2 */
/*
 * Functions with arguments of every shape, each called once. What pointers lead to is written before, so
 * that it is there to be read.
 */
#include <stdbool.h>
#include <string.h>

struct point {
	int x, y;
};

struct wide {
	long a, b;
};

struct large {
	char name[24];
	long last;
};

enum colour { RED = 1, GREEN = 7 };

union word {
	int whole;
	short halves[2];
};

struct node {
	int number;
	char text[10];
	int list[3];
	unsigned low : 3, high : 5;
	enum colour colour;
	union word word;
	struct node *next;
	struct point at;
};

typedef struct node node_t;

#define SEEN __attribute__((noinline, noclone)) __attribute__((used))

volatile long sum;

SEEN int scalars(char c, short s, int i, long l, bool b, unsigned char u)
{
	sum += c + s + i + l + b + u;
	return -5;
}

SEEN long pointers(const char *text, node_t *n, int *number, void *none)
{
	sum += text[0] + n->number + *number + (none != NULL) + n->list[2] + n->high + n->colour + n->at.y +
	       n->next->number + n->word.whole + n->text[0];
	return sum;
}

SEEN long many(long a, long b, long c, long d, long e, long f, short seventh, int eighth)
{
	return sum += a + b + c + d + e + f + seventh + eighth;
}

SEEN long values(struct point p, struct wide w, struct large g, double skipped, int after)
{
	return sum += p.x + p.y + w.a + w.b + g.last + (long)skipped + after;
}

SEEN struct node *gives_node(struct node *n)
{
	sum++;
	return n->next;
}

SEEN struct large gives_large(int first, int second)
{
	struct large g = { "given", first - second };

	sum++;
	return g;
}

SEEN struct point gives_point(int x)
{
	sum++;
	return (struct point){ x, -x };
}

int main(void)
{
	struct large g = { "large", 99 };
	struct node last = { .number = 321 };
	struct node n = { 123, "hello", { 1, 2, 3 }, 5, 17, GREEN, { .halves = { 2, 3 } }, &last, { 8, 9 } };
	char text[] = "text";
	int number = 13;

	__asm__ volatile("" : : "r"(&n), "r"(&last), "r"(text), "r"(&number), "r"(&g) : "memory");
	scalars('x', -2, -3, 4000000000L, true, 200);
	pointers(text, &n, &number, NULL);
	many(1, 2, 3, 4, 5, 6, -7, 8);
	values((struct point){ -1, 2 }, (struct wide){ 3, 4 }, g, 2.5, 77);
	gives_node(&n);
	g = gives_large(10, 3);
	gives_point(6);
	return sum == 0 || g.last != 7;
}
