# Every task of the project; `make help` lists them. Two commands do everything on a fresh Debian 12:
#   make demo     make test
#
# BUILD names the build folder, JOBS the parallelism, TESTS a regular expression of tests to run.

BUILD ?= build
JOBS ?= $(shell nproc)
PRESET ?= release
PREFIX ?= /usr/local
DESTDIR ?=
TESTS ?=
BENCH_FLAGS ?=

# $(call CTEST,more options)
CTEST = ctest --test-dir $(BUILD) --output-on-failure --no-tests=error -j $(JOBS) $(if $(TESTS),-R '$(TESTS)') $(1) \
        || { tests/support/failures $(BUILD); exit 1; }
SOURCES = $(shell find migrations operator tests -name '*.cpp' -o -name '*.hpp')

# Clones in different folders share one compiler cache, where there is one.
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= true

.DEFAULT_GOAL := help
.PHONY: help deps deps-lint configure build python cluster chart-tools chart manifests image demo test test-unit test-postgres \
        test-cluster test-chart test-image test-pods bench format format-check lint sanitize tsan install clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## Install the Debian packages that are missing (root or sudo; otherwise does nothing)
	@deploy/packages/install deploy/packages/build.txt

deps-lint:
	@deploy/packages/install deploy/packages/lint.txt

# Configured once; CMake reconfigures by itself when its files change.
$(BUILD)/build.ninja:
	@cmake --preset $(PRESET) -B $(BUILD)

configure: deps
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja

build: configure ## Build everything; programs in build/bin
	@cmake --build $(BUILD) -j $(JOBS)

# The Python that tests hand databases over to Alembic with. Kept in the user's cache, outside the tree.
python: deps
	@mkdir -p $(BUILD)
	@path=$$(tests/support/python-environment) && printf '%s\n' "$$path" >$(BUILD)/python-path

# The programs of the test cluster and of the chart's tests: built once, kept in the user's cache too. tests/cluster says how.
cluster: deps
	@tests/cluster/programs >/dev/null

chart-tools: deps
	@tests/cluster/tools >/dev/null

chart: ## Copy the CRDs into the chart
	@charts/copy-crds charts/athanor/templates/crds

manifests: chart chart-tools ## Render the chart into deploy/manifests, for those who do not use Helm
	@deploy/manifests/render "$$(tests/cluster/tools)/helm" deploy/manifests

image: ## Build the image with docker, podman or buildah (ENGINE=)
	@deploy/image/build

demo: build ## Two real databases follow a Git repository, in under two minutes
	@deploy/demo/demo.sh $(BUILD)

# With TESTS, a cluster is made ready only if a chosen test asks for one.
test: build python $(if $(TESTS),,cluster chart-tools) ## Run every test (TESTS=regex picks some)
	@$(call CTEST)

test-unit: build ## Run the tests that need no database and no cluster
	@$(call CTEST,-LE 'postgres|cluster')

test-postgres: build python ## Run the tests against a throwaway PostgreSQL
	@$(call CTEST,-L postgres -LE cluster)

test-cluster: build python cluster chart-tools ## Run the tests against a throwaway Kubernetes API server
	@$(call CTEST,-L cluster)

test-chart: build python cluster chart-tools ## Of these, the tests of CRDs, samples and chart
	@$(call CTEST,-R '^chart\.')

test-image: ## Build the image and start it, without a container engine (root; buildah, podman, debootstrap)
	@tests/image/image-test

test-pods: ## Real pods: image, chart and databases on a one-node cluster (root; the first time half an hour)
	@tests/node/run

bench: build ## Measure against a libpq reference and the peers found (BENCH_FLAGS="--help")
	@tests/bench/bench.py --build $(BUILD) $(BENCH_FLAGS)

format: deps-lint ## Format the sources
	@clang-format -i $(SOURCES)

format-check: deps-lint ## Fail when a source is not formatted
	@clang-format --dry-run --Werror $(SOURCES)

lint: build deps-lint ## Run clang-tidy; findings are errors
	@run-clang-tidy -quiet -p $(BUILD) -j $(JOBS) '$(CURDIR)/(migrations|operator)/.*\.cpp$$' >$(BUILD)/lint.txt 2>$(BUILD)/lint.log \
	  || { grep -E 'warning:|error:' $(BUILD)/lint.txt | sort -u; exit 1; }

sanitize: ## Every test under address and undefined-behaviour sanitizers
	@LSAN_OPTIONS="suppressions=$(CURDIR)/tests/support/lsan.supp:print_suppressions=0" \
	  $(MAKE) --no-print-directory test BUILD=build-asan PRESET=asan

tsan: ## Every test under the thread sanitizer
	@TSAN_OPTIONS="suppressions=$(CURDIR)/tests/support/tsan.supp history_size=7" \
	  $(MAKE) --no-print-directory test BUILD=build-tsan PRESET=tsan

install: build ## Install below PREFIX (/usr/local), staged below DESTDIR
	@DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix $(PREFIX)

clean: ## Remove every build folder
	@for folder in build build-asan build-tsan build-debug $(BUILD); do \
	  [ ! -d $$folder/postgres ] || tests/support/throwaway-postgres stop $$folder/postgres; \
	  [ ! -d $$folder/cluster ] || tests/cluster/throwaway-cluster stop $$folder/cluster; rm -rf $$folder; done
