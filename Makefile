# Everything one does with this repository. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -X sendoff/internal/cli.version=$(VERSION)
# The race detector needs a C compiler; without one the tests run all the same, and say so.
RACE := $(if $(shell command -v gcc || command -v clang || command -v cc),-race)
# For example: make test TESTFLAGS='-run Transfer' PACKAGES=./activities/...
PACKAGES ?= ./...
TESTFLAGS ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## offboard leavers of a simulated company, live, from nothing (DEMO_EXIT=1 leaves when done)
	bin/sendoff demo

.PHONY: test
test: ## run every test, with real Postgres and Temporal
	@mkdir -p bin
	@$(if $(RACE),,echo "no C compiler found: running without the race detector")
	@status=0; go test $(RACE) -timeout 20m $(TESTFLAGS) $(PACKAGES) 2>&1 | tee bin/test.log || status=$$?; \
	passed=$$(grep '^ok ' bin/test.log | grep -vc 'no tests to run' || true); failed=$$(grep -c '^FAIL	' bin/test.log || true); \
	echo "packages: $$passed ok, $$failed failed"; \
	if [[ $$passed -eq 0 && $$status -eq 0 ]]; then echo "no test ran"; status=1; fi; \
	exit $$status

.PHONY: chaos
chaos: ## kill each process at each named point under each fault of the vendor, until every pair is covered (about half an hour)
	CHAOS=long go test -count=1 -v -timeout 120m -run '^TestChaos$$' ./e2e/chaos

.PHONY: check
check: vet lint fmt-check workflowcheck archtest ## everything that judges code without running the product

.PHONY: vet
vet: ## go vet
	go vet $(PACKAGES)

.PHONY: lint
lint: ## golangci-lint, pinned; the first run builds it (minutes)
	"$$(tools/ensure.sh golangci-lint)" run $(PACKAGES)

.PHONY: fmt-check
fmt-check: ## fail if gofumpt would change a file
	@gofumpt=$$(tools/ensure.sh gofumpt); \
	files=$$(git ls-files -co --exclude-standard '*.go' | xargs -r "$$gofumpt" -l); \
	if [[ -n $$files ]]; then printf 'gofumpt would change these files, run make fmt:\n%s\n' "$$files"; exit 1; fi

.PHONY: fmt
fmt: ## format all Go files with gofumpt
	@gofumpt=$$(tools/ensure.sh gofumpt); git ls-files -co --exclude-standard '*.go' | xargs -r "$$gofumpt" -w

.PHONY: workflowcheck
workflowcheck: ## fail if workflow code could replay differently
	"$$(tools/ensure.sh workflowcheck)" -config tools/workflowcheck.yaml ./workflows/...

.PHONY: archtest
archtest: ## fail if a package imports what it must not
	go test ./internal/archtest/...

# For example: make bench LEAVERS=50 RECEIVERS=10, or make bench BENCHFLAGS='--only latency --output json'
LEAVERS ?= 500
RECEIVERS ?= 50
BENCHFLAGS ?=

.PHONY: bench
bench: build ## measure speed and appetite beside baselines of the same run (docs/benchmarks.md)
	go run ./e2e/bench --program bin/sendoff --leavers $(LEAVERS) --receivers $(RECEIVERS) $(BENCHFLAGS)
	@go test -run '^$$' -bench . -benchmem $$(git grep -l '^func Benchmark' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's|^|./|')

.PHONY: build
build: ## build bin/sendoff
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/sendoff ./cmd/sendoff

.PHONY: up
up: build ## run the whole stack on this machine; its data stays in .sendoff
	bin/sendoff up

.PHONY: sim
sim: build ## run the Box simulator alone
	bin/sendoff sim box

.PHONY: golden
golden: ## write golden files and workflow histories anew; read the difference before committing it
	SENDOFF_UPDATE_GOLDEN=1 go test -count=1 -run 'Golden' $(PACKAGES)

.PHONY: clean
clean: ## remove what was built (never .sendoff, which holds data and keys)
	rm -rf bin dist
