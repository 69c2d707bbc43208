# All tasks of the project; `make help` lists them. On a fresh Debian 12 two commands are enough:
#   make demo     make test
#
# BUILD is the build folder, JOBS the parallelism, TESTS a regular expression that selects tests.

BUILD ?= build
JOBS ?= $(shell nproc)
PRESET ?= release
PREFIX ?= /usr/local
DESTDIR ?=
TESTS ?=
MUTANTS ?=
BENCH_FLAGS ?=
FUZZ_SECONDS ?= 20
VERSIONS ?= 14 15 16 17 18
# The number of faults of each kind for test-crash.
KILLS ?= 200
SIGNALS ?= 60
SESSIONS ?= 60
CRASHES ?= 60
FAULTS ?= 100
SCRIPTS ?= 20

# $(call CTEST,more options) runs ctest and summarizes the failures.
CTEST = ctest --test-dir $(BUILD) --output-on-failure --no-tests=error -j $(JOBS) $(if $(TESTS),-R '$(TESTS)') $(1) \
        || { tests/support/failures $(BUILD); exit 1; }
SOURCES = $(shell find migrations operator tests -name '*.cpp' -o -name '*.hpp')

# Makes paths relative in ccache, so that clones in different folders share its entries.
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= true

.DEFAULT_GOAL := help
.PHONY: help deps deps-lint configure build python cluster chart-tools chart chart-package manifests image image-multiarch demo test test-unit test-postgres \
        test-cluster test-versions test-version test-crash test-corpora test-adopt test-chart test-image test-pods test-fuzz bench bench-inspect mutate \
        hooks format format-check lint sanitize tsan install clean

##@ First steps

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: configure ## Two real databases follow a Git repository, in under two minutes once the programs are compiled
	@deploy/demo/compile $(BUILD) $(JOBS)
	@deploy/demo/demo.sh $(BUILD)

build: configure ## Build everything; programs in build/bin
	@cmake --build $(BUILD) -j $(JOBS)

install: build ## Install below PREFIX (/usr/local), staged below DESTDIR
	@DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix $(PREFIX)

clean: ## Remove every build folder
	@for folder in build build-asan build-tsan build-debug build-fuzz $(BUILD); do \
	  [ ! -d $$folder/postgres ] || tests/support/throwaway-postgres stop $$folder/postgres; \
	  [ ! -d $$folder/cluster ] || tests/cluster/throwaway-cluster stop $$folder/cluster; rm -rf $$folder; done

##@ Tests

# With TESTS, the cluster's programs are built only when a selected test needs them.
test: build python $(if $(TESTS),,cluster chart-tools test-version) ## Run every test (TESTS=regex picks some)
	@$(call CTEST)

test-unit: configure python ## Run the tests that need no database and no cluster; nothing else is compiled
	@cmake --build $(BUILD) -j $(JOBS) --target unit_tests
	@$(call CTEST,-L unit)

test-postgres: build python ## Run the tests against a throwaway PostgreSQL
	@$(call CTEST,-L postgres -LE 'cluster|version')

test-versions: build python ## Run the tests that need a database on PostgreSQL 14 to 18 (VERSIONS="14 18" chooses)
	@JOBS=$(JOBS) TESTS='$(TESTS)' tests/versions/run all $(BUILD) $(VERSIONS)

test-crash: build python ## Kill runs, sessions, servers and connections 500 times (SEED=, KILLS=, SIGNALS=, SESSIONS=, CRASHES=, FAULTS=, SCRIPTS=)
	@tests/crash/campaign $(BUILD)/bin/athanor $(if $(SEED),--seed $(SEED)) --kills $(KILLS) --signals $(SIGNALS) \
	  --sessions $(SESSIONS) --crashes $(CRASHES) --network $(FAULTS) --scripts $(SCRIPTS)

test-adopt: build ## Adopt what the real goose, golang-migrate, Flyway and Liquibase made (fetched from the registries of Go and Maven)
	tests/postgres/cli/adopted/real_tools $(BUILD)

test-corpora: build ## Test the planner of schema changes on public pairs of schemas (CORPORA="pgschema migra": folders you fetched)
	@cmake --build $(BUILD) -j $(JOBS) --target schema_pairs
	@tests/support/throwaway-postgres start $(BUILD)/corpora >/dev/null
	@ATHANOR_TEST_URL=$$(cat $(BUILD)/corpora/url) tests/corpora/corpora.py --build $(BUILD) $(CORPORA); status=$$?; \
	  tests/support/throwaway-postgres stop $(BUILD)/corpora; exit $$status

test-cluster: build python cluster chart-tools ## Run the tests against a throwaway Kubernetes API server
	@$(call CTEST,-L cluster)

test-chart: build python cluster chart-tools ## Of these, the tests of CRDs, samples and chart
	@$(call CTEST,-R '^chart\.')

test-image: ## Build the image and start it, without a container engine (root; buildah, podman, debootstrap)
	@tests/image/image-test

test-pods: ## Real pods: image, chart and databases on a one-node cluster (root; the first time half an hour)
	@tests/node/run

sanitize: ## Every test under address and undefined-behaviour sanitizers
	@LSAN_OPTIONS="suppressions=$(CURDIR)/tests/support/lsan.supp:print_suppressions=0" \
	  $(MAKE) --no-print-directory test BUILD=build-asan PRESET=asan

test-fuzz: configure ## Fuzz each reader of foreign text for FUZZ_SECONDS (20), with clang
	@deploy/packages/install deploy/packages/fuzz.txt
	@[ -f build-fuzz/build.ninja ] || cmake --preset fuzz
	@cmake --build build-fuzz -j $(JOBS) --target fuzzers
	@tests/fuzz/run build-fuzz $(FUZZ_SECONDS)

tsan: ## Every test under the thread sanitizer
	@TSAN_OPTIONS="suppressions=$(CURDIR)/tests/support/tsan.supp history_size=7" \
	  $(MAKE) --no-print-directory test BUILD=build-tsan PRESET=tsan

# A test that already fails cannot detect a bug, so all tests must pass first. The copy in the build folder is kept for the next
# run.
mutate: python ## Plant bugs in a copy of the tree, one at a time: a test must notice each (MUTANTS=regex picks some)
	@tests/mutate/mutate --build $(BUILD)/mutate --jobs $(JOBS) --only '$(MUTANTS)'

##@ Before a commit

format: deps-lint ## Format the sources
	@clang-format -i $(SOURCES)

format-check: deps-lint ## Fail when a source is not formatted
	@clang-format --dry-run --Werror $(SOURCES)

# clang-tidy cannot read GCC's precompiled headers and does not know all of its warnings, so remove both from its compile
# commands.
lint: build deps-lint ## Run clang-tidy; findings are errors
	@mkdir -p $(BUILD)/lint
	@sed -E 's/ -Winvalid-pch -include [^ ]+//; s/ -Wno-(restrict|stringop-[a-z]+)//g' $(BUILD)/compile_commands.json >$(BUILD)/lint/compile_commands.json
	@run-clang-tidy -quiet -p $(BUILD)/lint -j $(JOBS) '$(CURDIR)/(migrations|operator)/.*\.cpp$$' >$(BUILD)/lint.txt 2>$(BUILD)/lint.log \
	  || { grep -E 'warning:|error:' $(BUILD)/lint.txt | sort -u; exit 1; }

hooks: ## Check the format and run the fast tests before each commit (git commit --no-verify skips that)
	@git config core.hooksPath .githooks

##@ Measure

bench: deps ## Measure against a libpq reference and the peers found (BENCH_FLAGS="--help")
	@tests/bench/bench.py --prepare $(BENCH_FLAGS)
	@$(MAKE) --no-print-directory build
	@tests/bench/bench.py --build $(BUILD) $(BENCH_FLAGS)

bench-inspect: build ## Measure how long reading a schema takes (BENCH_FLAGS="--tables 500,5000 --rounds 9")
	@tests/bench/inspect_bench.py $(BUILD) $(BENCH_FLAGS)

##@ Deliver

image: ## Build the image with docker, podman or buildah (ENGINE=)
	@deploy/image/build

image-multiarch: ## Build it for PLATFORMS (amd64 and arm64) as IMAGE=; PUSH=1 pushes it
	@deploy/image/build-platforms $(IMAGE)

chart: ## Copy the CRDs into the chart
	@charts/copy-crds charts/athanor/templates/crds

chart-package: chart chart-tools ## Package the charts into build/charts; CHART_REGISTRY=oci://… pushes them there
	@charts/package "$$(tests/cluster/tools)/helm" build/charts $(CHART_REGISTRY)

manifests: chart chart-tools ## Render the chart into deploy/manifests, for those who do not use Helm
	@deploy/manifests/render "$$(tests/cluster/tools)/helm" deploy/manifests

##@ Set up

deps: ## Install the Debian packages that are missing (root or sudo; otherwise does nothing)
	@deploy/packages/install deploy/packages/build.txt

deps-lint:
	@deploy/packages/install deploy/packages/lint.txt

# Configure once; CMake reconfigures itself when its files change.
$(BUILD)/build.ninja:
	@cmake --preset $(PRESET) -B $(BUILD)

configure: deps
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja

# The Python with Alembic for the tests, kept in the user's cache outside the tree.
python: deps
	@mkdir -p $(BUILD)
	@path=$$(tests/support/python-environment) && printf '%s\n' "$$path" >$(BUILD)/python-path

# The programs of the test cluster and of the chart's tests, built once and kept in the user's cache. See tests/cluster.
cluster: deps
	@tests/cluster/programs >/dev/null

# The additional PostgreSQL version that `make test` uses. Downloaded here, once and with retries, so that no test waits for a
# package registry.
test-version: deps
	@tests/versions/server "$$(tests/versions/run version .)" >/dev/null

chart-tools: deps
	@tests/cluster/tools >/dev/null
