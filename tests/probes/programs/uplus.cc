/* build: -O1 */
/* Names of C++: overloaded, in a class, a template, an operator, in no namespace that has a name. */
#define NOINLINE __attribute__((noinline, noclone))

namespace shop {
NOINLINE int price(int n)
{
	__asm__ volatile("" ::: "memory");
	return n + 1;
}

NOINLINE int price(int n, char c)
{
	__asm__ volatile("" ::: "memory");
	return n + c;
}

struct cart {
	int n;

	NOINLINE int add(int more) const
	{
		__asm__ volatile("" ::: "memory");
		return n + more;
	}

	NOINLINE int operator()(int more)
	{
		__asm__ volatile("" ::: "memory");
		return n - more;
	}
};

template <class T> NOINLINE T twice(T t)
{
	__asm__ volatile("" ::: "memory");
	return t + t;
}
}

namespace {
NOINLINE int local(int n)
{
	__asm__ volatile("" ::: "memory");
	return n;
}
}

int main(int argc, char **)
{
	shop::cart c{argc};

	return shop::price(41) + shop::price(41, 'a') + c.add(5) + c(6) + shop::twice(7) + local(8) == 1;
}
