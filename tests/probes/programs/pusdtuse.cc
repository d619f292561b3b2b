/* build: -O2 -lpusdtlib -L. */
/* build nopie: -O2 -no-pie -lpusdtlib -L. */
/* build dlopen: -O1 -DLATE -DLIBRARY="\"libpusdtlib.so\"" -ldl */
/* C++ with markers of its own, and a library with markers that it is linked with or loads late. */
#include <dlfcn.h>
#include <stdexcept>
#include <sys/sdt.h>

extern "C" void pusdt_call(int n);

namespace {

class counter {
	int n_;

public:
	explicit counter(int n) : n_(n) {}
	void add(int by)
	{
		n_ += by;
		DTRACE_PROBE3(objects, add, this, by, n_);
	}
};

template <typename T> __attribute__((noinline)) void told(T value)
{
	DTRACE_PROBE1(objects, told, value);
}

} // namespace

int main()
{
	counter c(5);

	c.add(2);
	c.add(-10);
	told<unsigned char>(250);
	told<short>(-6);
	told<long>(-1L << 40);
	try {
		throw std::runtime_error("thrown");
	} catch (const std::exception &e) {
		DTRACE_PROBE1(objects, caught, e.what());
	}
#ifdef LATE
	void *lib = dlopen(LIBRARY, RTLD_NOW);
	auto call = reinterpret_cast<void (*)(int)>(dlsym(lib, "pusdt_call"));

	call(1);
	call(2);
#else
	pusdt_call(1);
	pusdt_call(2);
#endif
	return 0;
}
