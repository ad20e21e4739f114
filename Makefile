# The short way: each target sets up what it needs (Debian packages, once) and can be run again.
# The build itself is CMake's; see CMakePresets.json.
#
#   make           build/limn
#   make demo      build, paint an example, say where it is; PHOTO=, PAINTING= and WEIGHTS= for others
#   make gallery   paint every photo of examples/ as every painting there; GALLERY_FLAGS=--again
#   make test      build, run every test
#   make check     source checks: layers, format, static analysis
#   make sanitize  the unit tests under address and undefined-behaviour sanitizers
#   make compare   features, losses and gradient against PyTorch
#   make quality   the built-in network against VGG-19; docs/built-in-network.md
#   make defaults-quality   limn as it is, judged by VGG-19: every cell of the gallery, other recipes,
#                  sizes; docs/quality.md. PARTS="cells contest sizes" chooses
#   make textures-quality   textures, seams, symmetry and filled holes, judged; docs/textures.md
#   make parity    the recipes of published systems against those systems; docs/parity.md
#   make install   to PREFIX (default /usr/local)
#   make deb       Debian packages, into build/deb; make deb-test tries them in a clean Debian
#   make tarball   limn with the libraries that it needs, for any Linux; make tarball-test tries it

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
# Most tests count as two (tests/CMakeLists.txt).
TESTS_AT_A_TIME = $$((2 * $(JOBS)))
# More flags for CMake, such as CMAKE_FLAGS=-DLIMN_UNITY=ON, which CI has: quicker from nothing.
CMAKE_FLAGS ?=

PHOTO ?= examples/photos/landscape.jpg
PAINTING ?= examples/paintings/oil.jpg
DEMO_OUTPUT ?= build/demo.png

# VGG-19, for comparisons with it.
VGG19 ?= $(firstword $(WEIGHTS) $(wildcard ../shared/weights/vgg19*.h5))

PARITY_FLAGS ?= --markdown docs/parity.md --sheet docs/parity
MATCHING_FLAGS ?= --markdown docs/parity.md

QUALITY_FLAGS ?= --markdown docs/built-in-network.md

DEFAULTS_FLAGS ?= --markdown docs/quality.md --shown docs/quality

.PHONY: build demo gallery test check sanitize compare quality defaults-quality textures-quality parity install \
  deb deb-test tarball tarball-test clean

build:
	@tools/setup.sh build
	@mkdir -p build
	@cmake --preset release -DLIMN_BUILD_TESTS=OFF >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build --preset release -j $(JOBS)
	@echo "The program is build/limn"

demo: build
	@tools/demo.sh "$(PHOTO)" "$(PAINTING)" $(DEMO_OUTPUT) "$(WEIGHTS)"

gallery: build
	@tools/setup.sh python compare
	/usr/bin/python3 tools/gallery.py --limn build/limn $(if $(VGG19),--vgg19 "$(VGG19)") \
	  $(GALLERY_FLAGS)

test:
	@tools/setup.sh build test python
	cmake --preset release -DLIMN_BUILD_TESTS=ON $(CMAKE_FLAGS)
	cmake --build --preset release -j $(JOBS)
	ctest --preset release -j $(TESTS_AT_A_TIME)

check:
	@tools/setup.sh build test python check
	tools/check_layers.py
	tools/check_source.sh

sanitize:
	@tools/setup.sh build test
	cmake --preset sanitize $(CMAKE_FLAGS)
	cmake --build --preset sanitize -j $(JOBS)
	ctest --preset sanitize -j $(TESTS_AT_A_TIME)

compare:
	@tools/setup.sh build test python compare
	cmake --preset release -DLIMN_BUILD_TESTS=ON
	cmake --build --preset release -j $(JOBS) --target dump_evaluation
	/usr/bin/python3 tools/parity/gradient.py --limn-dump build/dump_evaluation --each-term \
	  --weights "$(VGG19)" --photo "$(PHOTO)" --painting "$(PAINTING)" $(COMPARE_FLAGS)

quality: build
	@tools/setup.sh python compare
	/usr/bin/python3 tools/quality/judge.py --limn build/limn --vgg19 "$(VGG19)" \
	  --out build/quality $(QUALITY_FLAGS)

defaults-quality: build
	@tools/setup.sh python compare
	/usr/bin/python3 tools/quality/defaults.py $(PARTS) --limn build/limn --vgg19 "$(VGG19)" \
	  $(DEFAULTS_FLAGS)

textures-quality: build
	@tools/setup.sh python compare
	/usr/bin/python3 tools/quality/textures.py --limn build/limn --vgg19 "$(VGG19)" \
	  --out build/textures $(TEXTURES_FLAGS)

parity:
	@tools/setup.sh build test python compare
	cmake --preset release -DLIMN_BUILD_TESTS=ON
	cmake --build --preset release -j $(JOBS) --target dump_run dump_evaluation limn_command
	/usr/bin/python3 tools/parity/formats.py --limn build/limn
	/usr/bin/python3 tools/parity/features.py --limn-dump build/dump_evaluation
	/usr/bin/python3 tools/parity/parity.py --limn-run build/dump_run --vgg19 "$(VGG19)" \
	  $(PARITY_FLAGS)
	/usr/bin/python3 tools/parity/neighbours.py --limn-dump build/dump_evaluation \
	  --limn build/limn --vgg19 "$(VGG19)" $(MATCHING_FLAGS)

deb:
	@tools/setup.sh build python package
	packaging/deb.sh

deb-test: deb
	tests/packaging/deb.sh build/deb

tarball:
	@tools/setup.sh build
	packaging/tarball.sh

tarball-test: tarball
	@tools/setup.sh package
	tests/packaging/tarball.sh build/tarball/*.tar.xz

install: build
	cmake --install build --prefix $(PREFIX)

clean:
	rm -rf build build-debug build-sanitize
