# The targets for people who work on this. `go run ./cmd/exporter` needs none of them.

LINT_VERSION = 2.15.0
# How long `make fuzz` fuzzes each target, and which: make fuzz FUZZTIME=60s FUZZ='FuzzProbe|FuzzLoad|FuzzServer'.
FUZZTIME = 10s
FUZZ = ^Fuzz

TOOLS = $(shell go env GOPATH)/imap-exporter-tools
LINT = $(TOOLS)/golangci-lint-$(LINT_VERSION)/golangci-lint
ifeq ($(shell golangci-lint version --short 2>/dev/null),$(LINT_VERSION))
LINT = golangci-lint
endif

.PHONY: all build test test-386 soak servers stack fuzz bench lint fmt clean

all: lint test build

build:
	go build -trimpath -o build/imap-exporter ./cmd/exporter

# Everything, with the real servers where they can run. The whole output is in build/test/output.log.
# For some packages only: make test PKGS=./probe/...
#
# Most tests wait for servers, so more packages and tests run at a time than there are processors. Packages that start programs and
# have little code of their own run without the race detector. Last come the tests that measure time: alone.
PKGS = ./...
UNRACED = ./dashboards/... ./deploy/... ./internal/e2e ./internal/realtest/...
TIMING = ^Test(DelaysAreTrue|RoundTripsToDovecot|NoFalseDelay|Attacks)$$
GOTEST = -shuffle=on -count=1 -timeout=20m -p=3 -parallel=8
test: servers
	go run ./internal/realtest/report build/test $(GOTEST) -race \
		$(if $(filter ./...,$(PKGS)),-skip='$(TIMING)' $$(go list ./... | grep -vxF "$$(go list $(UNRACED))") \
			-- $(GOTEST) $(UNRACED) -- -count=1 -p=1 -run='$(TIMING)' ./probe ./internal/exporter,$(PKGS))

# On 32 bits. CGO would need another C compiler. Where the system can't execute 32-bit programs (the shell's status 126), the tests are
# built, and not run.
PKGS_386 = ./internal/wire ./internal/imap ./internal/history ./internal/config ./internal/mailtest
test-386: export CGO_ENABLED = 0
test-386: export GOARCH = 386
test-386:
	go vet ./...
	@mkdir -p build/386
	go test -c -o build/386/ $(PKGS_386)
	@build/386/wire.test -test.run='^$$' >/dev/null 2>&1; if [ $$? = 126 ]; then \
		echo "NOT RUN: this system can't execute 32-bit programs; the tests of $(PKGS_386) were only built for 386"; \
	else go test $(PKGS_386); fi

# What takes its time: ten minutes and more.
soak: servers
	go run ./internal/realtest/report build/soak -tags soak -timeout=40m \
		-run 'WrongPasswordAmong|ReloadStorm|HostileServersForLong|LeavesNoTrace|Mutants|Attacks' ./cmd/exporter ./internal/e2e ./internal/exporter ./probe ./dashboards/rules

# Installs the real servers, each into a directory of its own. Starts none.
servers:
	internal/realtest/scripts/install.sh

# Exporter, Prometheus with eight days of past and our rules, and Alertmanager, on loopback, until Ctrl-C.
stack: servers
	go run ./internal/realtest/demostack

fuzz:
	@set -e; for package in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs dirname | sort -u); do \
		for target in $$(go test -list '$(FUZZ)' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s $$package; \
		done; \
	done

# What the exporter costs, and how true its times are; docs/performance.md tells how to read it. Root sees the packets.
bench:
	go test -run '^$$' -bench . ./internal/bench ./collectors

# golangci-lint checks the formatting, too.
lint: $(filter /%,$(LINT))
	go mod tidy -diff
	go vet ./...
	$(LINT) run

fmt: $(filter /%,$(LINT))
	$(LINT) fmt

$(TOOLS)/golangci-lint-$(LINT_VERSION)/golangci-lint:
	@echo "installing golangci-lint $(LINT_VERSION): this takes some minutes, once"
	@mkdir -p build
	@GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(LINT_VERSION) \
		>build/lint-install.log 2>&1 || { cat build/lint-install.log; exit 1; }

clean:
	rm -rf build
