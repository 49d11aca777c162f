# The commands of this repository. Everything that they need is fetched by tools/bootstrap, everything that they make lies in build/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export JOBS ?= $(shell nproc)
GOLDEN ?= $(wildcard ../shared/golden)

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps: ## Fetch what is missing, as deps/lock.txt says
	@tools/bootstrap build

.PHONY: build
build: deps ## Build the program: build/calve
	@tools/build release calve
	@ln -sfn release/calve build/calve

.PHONY: dev
dev: deps ## Build everything with sanitizers, in build/dev
	@tools/build dev

.PHONY: demo
demo: build ## Run the examples on real input, without a server
	@examples/demo/run

.PHONY: test
test: deps ## Run every test (FILTER=name for some)
	@tools/bootstrap test format
	@tools/build dev
	@PROGRAM=build/dev/calve tests/services/with s3.sh postgres.sh mariadb.sh calve_server.sh api.sh site.sh -- ctest --test-dir build/dev --output-on-failure --no-tests=error -j $(JOBS) $(if $(FILTER),-R '$(FILTER)')

.PHONY: cases
cases: deps ## Run the text cases (FILTER=name for some, CONFIGURATION=default for one)
	@tools/build dev calve
	@tests/cases/run --program build/dev/calve $(if $(FILTER),--filter '$(FILTER)') $(if $(CONFIGURATION),--configuration '$(CONFIGURATION)')

.PHONY: bars
bars: build ## Measure the promises (ISSUE=foundation for those of one issue)
	@tools/bars '$(ISSUE)'

.PHONY: interop
interop: build ## Compare calve with real engines and catalogs, both ways, and write docs/interop.md (GOLDEN=folder of other implementations' test data)
	@tests/interop/setup
	@tools/bootstrap test
	@tests/interop/suite build/calve $(if $(GOLDEN),--golden '$(GOLDEN)')

.PHONY: format
format: ## Format every C++ file
	@tools/bootstrap format
	@tools/format

.PHONY: tidy
tidy: deps ## Run clang-tidy (FILES=... for some)
	@tools/bootstrap tidy
	@tools/tidy $(FILES)

.PHONY: tsan
tsan: deps ## Run the tests of the rooms that share data between threads under the thread sanitizer
	@tools/build tsan tsan_tests
	@ctest --test-dir build/tsan --output-on-failure --no-tests=error -j $(JOBS) -L tsan

.PHONY: fuzz
fuzz: deps ## Run every fuzzer (SECONDS_EACH=600, FILTER=name)
	@tools/bootstrap fuzz
	@tools/fuzz '$(SECONDS_EACH)' '$(FILTER)'

.PHONY: clean
clean: ## Delete build/ (not .deps/)
	@rm -rf build
