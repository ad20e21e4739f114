# The short way: each target sets up what it needs (Debian packages, once) and can be run again.
# The build itself is CMake's; see CMakePresets.json.
#
#   make           build/limn
#   make demo      build, paint an example, say where it is
#   make test      build, run every test
#   make check     source checks: layers, format, static analysis
#   make sanitize  the unit tests under address and undefined-behaviour sanitizers
#   make compare   features, losses and gradient against PyTorch
#   make parity    the recipes of published systems against those systems; docs/parity.md
#   make install   to PREFIX (default /usr/local)

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

# What the demo paints. Until limn has a network and pictures of its own it needs these three; they
# are looked for beside the project.
SHARED ?= ../shared
WEIGHTS ?= $(firstword $(wildcard $(SHARED)/weights/vgg19*.h5))
PHOTO ?= $(firstword $(wildcard $(SHARED)/images/content/tubingen.jpg))
PAINTING ?= $(firstword $(wildcard $(SHARED)/images/style/starry_night.jpg))
SIZE ?= 384
DEMO_OUTPUT ?= build/demo.png

PARITY_FLAGS ?= --markdown docs/parity.md --sheet docs/parity

.PHONY: build demo test check sanitize compare parity install clean

build:
	@tools/setup.sh build
	@mkdir -p build
	@cmake --preset release -DLIMN_BUILD_TESTS=OFF >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build --preset release -j $(JOBS)
	@echo "The program is build/limn"

demo: build
	@tools/demo.sh "$(WEIGHTS)" "$(PHOTO)" "$(PAINTING)" $(SIZE) $(DEMO_OUTPUT)

test:
	@tools/setup.sh build test
	cmake --preset release -DLIMN_BUILD_TESTS=ON
	cmake --build --preset release -j $(JOBS)
	ctest --preset release -j $(JOBS)

check:
	@tools/setup.sh build test check
	tools/check_layers.py
	tools/check_source.sh

sanitize:
	@tools/setup.sh build test
	cmake --preset sanitize
	cmake --build --preset sanitize -j $(JOBS)
	ctest --preset sanitize -j $(JOBS)

compare:
	@tools/setup.sh build test compare
	cmake --preset release -DLIMN_BUILD_TESTS=ON
	cmake --build --preset release -j $(JOBS) --target dump_evaluation
	/usr/bin/python3 tools/compare_torch.py --limn-dump build/dump_evaluation --each-term \
	  --weights "$(WEIGHTS)" --photo "$(PHOTO)" --painting "$(PAINTING)" $(COMPARE_FLAGS)

parity:
	@tools/setup.sh build test compare
	cmake --preset release -DLIMN_BUILD_TESTS=ON
	cmake --build --preset release -j $(JOBS) --target dump_run dump_evaluation limn_command
	/usr/bin/python3 tools/parity/formats.py --limn build/limn
	/usr/bin/python3 tools/parity/features.py --limn-dump build/dump_evaluation
	/usr/bin/python3 tools/parity/parity.py --limn-run build/dump_run --vgg19 "$(WEIGHTS)" \
	  --markdown docs/parity.md --sheet docs/parity $(PARITY_FLAGS)

install: build
	cmake --install build --prefix $(PREFIX)

clean:
	rm -rf build build-debug build-sanitize
