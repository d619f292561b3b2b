/* build: -O1 -g -fno-omit-frame-pointer */
/* Methods, references, base classes, objects that are handed over by address. */
#include <string>

namespace space {

struct Base {
	int base_member;
	virtual ~Base() {}
};

class Thing : public Base {
	int hidden;

public:
	static int shared;
	Thing(int b, int h) : hidden(h) { base_member = b; }
	__attribute__((noinline)) int method(const Thing &other, int n)
	{
		return shared += other.hidden + n + hidden;
	}
};

int Thing::shared = 1;

}

__attribute__((noinline)) long takes(std::string by_address, int after)
{
	__asm__ volatile("" : : "r"(&by_address) : "memory");
	return (long)by_address.size() + after;
}

int main()
{
	space::Thing one(11, 12), two(21, 22);
	int r = one.method(two, 5);

	return takes("text", r) == 0;
}
