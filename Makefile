# The front door. Everything is built by Meson in build/; the lists of packages are in
# packaging/debian-packages.txt.
BUILD ?= build
PREFIX ?= /usr/local
PYTHON ?= /usr/bin/python3
FUZZ_SECONDS ?= 60

.PHONY: all run test test-vm test-vm-full test-sanitize bench lint fuzz check-deep kernels-table tools-table install clean arm64 packages-build packages-test
all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja: | packages-build
	@meson setup $(BUILD) --prefix $(PREFIX) >/dev/null

packages-build:
	@packaging/install-packages build

packages-test:
	@packaging/install-packages build test

# A first useful question: who makes the system calls?
run: all
	@scripts/first-question $(BUILD)/sonde

test: packages-test all
	@$(PYTHON) tests/run.py --build $(BUILD)

# Only what runs on other kernels, Debian's 6.1 and 6.12, under emulation (downloads some 300 MB at first).
# SONDE_VM_KERNELS="6.1-rt 6.12-cloud" asks for these instead.
test-vm: packages-test all
	@$(PYTHON) tests/run.py --build $(BUILD) --only vm

# With every case of a tool and a probe, every row of the language's tables, and the programs that the compiler refuses.
test-vm-full: packages-test all
	@SONDE_VM_FULL=1 $(PYTHON) tests/run.py --build $(BUILD) --only vm

# docs/kernels.md: which kinds of probes work where, as the tests see it.
kernels-table: packages-test all
	@SONDE_VM_FULL=1 $(PYTHON) tests/run.py --build $(BUILD) --only probes --only vm -- -k test_probes
	@scripts/kernels-table --build $(BUILD)

# docs/tools.md: which tools work where, as the tests see it.
tools-table: packages-test all
	@SONDE_VM_FULL=1 $(PYTHON) tests/run.py --build $(BUILD) --only tools --only vm -- -k "test_cases_of_tools or test_tools"
	@scripts/tools-table --build $(BUILD)

# The same tests under AddressSanitizer and UndefinedBehaviorSanitizer.
test-sanitize: packages-test
	@[ -f $(BUILD)-san/build.ninja ] || meson setup $(BUILD)-san -Dsanitize=true --buildtype=debugoptimized >/dev/null
	@ninja -C $(BUILD)-san --quiet
	@$(PYTHON) tests/run.py --build $(BUILD)-san

arm64: packages-test
	@scripts/build-arm64

# Beside the peers, as far as they can be installed; docs/performance.md is written from what was measured.
# BENCH_MINUTES=10 lets keys come and go for ten minutes; BENCH="--only events" is a part of it, and writes nothing.
BENCH_MINUTES ?= 1
BENCH ?= --write docs/performance.md
bench: all
	-@packaging/install-packages bench
	@$(PYTHON) bench/bench.py --sonde $(BUILD)/sonde --minutes $(BENCH_MINUTES) $(BENCH)

lint:
	@packaging/install-packages build test lint
	@scripts/lint

# All that takes an hour: failures of every allocation and system call, kills, load, sanitizers, valgrind, the
# analyzer, fuzzing, 20,000 random programs. PARTS="kills load" runs only these.
check-deep: packages-test all
	@BUILD=$(BUILD) scripts/check-deep $(PARTS)

fuzz: packages-test
	-@packaging/install-packages fuzz
	@scripts/fuzz $(FUZZ_SECONDS)

install: all
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --quiet

clean:
	rm -rf $(BUILD) $(BUILD)-*
