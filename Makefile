# All development tasks. `make help` lists them.
GO       ?= go
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOFUMPT  := mvdan.cc/gofumpt@v0.12.0
DEADCODE := golang.org/x/tools/cmd/deadcode@v0.52.0
BENCHSTAT := golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X example.org/bridge/internal/cli.buildVersion=$(VERSION)
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

export CGO_ENABLED ?= 0

.DEFAULT_GOAL := help

## build: build the bridge into bin/
.PHONY: build
build:
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/bridge ./cmd/bridge

## demo: show two agents talking through a temporary store, and the operator's view
.PHONY: demo
demo: build
	$(GO) run ./scripts/demo bin/bridge

# Many tests wait for other processes rather than compute, so run more of them in
# parallel than there are processors.
PARALLEL ?= 6
PACKAGES ?= 4
# What takes longest is begun first, or it would run alone at the end.
LONGEST := ./internal/sqlite ./internal/cli ./internal/sandbox ./packaging
TESTFLAGS ?=

## test: run all tests; needs only Go
.PHONY: test
test:
	$(GO) test $(TESTFLAGS) -timeout 20m -p $(PACKAGES) -parallel $(PARALLEL) $(LONGEST) ./...

# The detector cannot check memory that SQLite allocates, so checking SQLite's own
# accesses would only take time (two thirds of that of the store's tests).
RACEFLAGS := -race -gcflags=modernc.org/sqlite/lib=-race=false

## race: run all tests under the race detector (needs a C compiler)
.PHONY: race
race:
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=0 $(GO) test $(RACEFLAGS) -short -timeout 30m -parallel $(PARALLEL) ./...

## test-security: run tests of tokens, refusals, redaction, the audit chain and hostile input
.PHONY: test-security
test-security:
	$(GO) test -count=1 ./internal/auth ./internal/audit ./internal/redact ./internal/bridge ./internal/sqlite ./internal/stdio ./internal/mcpserver ./internal/cli

## test-faults: inject a fault at every system call of the store (needs strace; ten minutes)
.PHONY: test-faults
test-faults:
	$(GO) test -count=1 -timeout 40m ./internal/sqlite -run SystemCall -sqlite.every-fault

## soak: run 100 processes for SOAK seconds, with concurrent kills, cleanup, rotation, verify and watchdog
SOAK ?= 240
.PHONY: soak
soak: build
	scripts/soak.sh bin/bridge $(SOAK)

## test-long: run longer versions of tests in `make test`: GUARD_COMMANDS random commands that
## safe mode accepts do no harm, a command writes SANDBOX_OUTPUT bytes, STORE_UNREAD
## messages wait in one inbox, STORE_KILLS and SERVER_KILLS processes are killed
GUARD_COMMANDS ?= 20000
SANDBOX_OUTPUT ?= 10000000000
STORE_UNREAD ?= 40000
STORE_KILLS ?= 500
SERVER_KILLS ?= 300
.PHONY: test-long
test-long:
	GUARD_COMMANDS=$(GUARD_COMMANDS) $(GO) test -count=1 -timeout 60m ./internal/commands -run TestAcceptedInSafeModeIsHarmless
	SANDBOX_OUTPUT=$(SANDBOX_OUTPUT) $(GO) test -count=1 -timeout 20m ./internal/sandbox -run TestEndlessOutput
	STORE_UNREAD=$(STORE_UNREAD) $(GO) test -count=1 -timeout 20m ./internal/sqlite -run 'TestStore/delivery'
	STORE_KILLS=$(STORE_KILLS) $(GO) test -count=1 -timeout 20m ./internal/sqlite -run TestKilledProcesses
	SERVER_KILLS=$(SERVER_KILLS) $(GO) test -count=1 -timeout 20m ./internal/cli -run TestKilledServers

## year: run ten agents for a simulated year, YEAR messages each a day, and report sizes and times;
## YEAR_ARCHIVE=false leaves the monthly archives of the audit log out
YEAR ?= 100
YEAR_ARCHIVE ?= true
.PHONY: year
year:
	$(GO) test -count=1 -timeout 30m ./internal/sqlite -run '^TestYear$$' -sqlite.year $(YEAR) -sqlite.year-archive=$(YEAR_ARCHIVE) -v

## image: build an OCI image layout of the program in bin/image, without a daemon
.PHONY: image
image:
	CGO_ENABLED=0 GOOS=linux $(GO) build -trimpath -buildvcs=false -ldflags '-s -w' -o bin/image-bridge ./cmd/bridge
	rm -rf bin/image
	cd deploy/image && $(GO) run . ../../bin/image-bridge linux/$$($(GO) env GOARCH) dev ../../bin/image

## test-image: check that the image is reproducible and its program runs with nothing else
.PHONY: test-image
test-image:
	cd deploy/image && $(GO) vet ./... && $(GO) test -count=1 ./...

VALIDATE  := sigs.k8s.io/kubectl-validate@v0.0.4
KUSTOMIZE := sigs.k8s.io/kustomize/kustomize/v5@v5.7.1

## test-kubernetes: validate the manifests with Kubernetes' schemas, without a cluster (builds the tools: minutes)
.PHONY: test-kubernetes
test-kubernetes:
	scripts/test-kubernetes.sh $(VALIDATE) $(KUSTOMIZE)

## test-upgrade: replace the program of a store from an older revision, and go back
.PHONY: test-upgrade
test-upgrade:
	scripts/test-upgrade.sh

## test-postgres: test the store in PostgreSQL, on a temporary server, which is killed
## POSTGRES_KILLS times (needs PostgreSQL 15 or newer; Debian: postgresql)
POSTGRES_KILLS ?= 5
.PHONY: test-postgres
test-postgres:
	NEED_POSTGRES=1 POSTGRES_KILLS=$(POSTGRES_KILLS) $(GO) test -count=1 -timeout 20m ./internal/postgres/... ./internal/storecopy ./internal/gateway
	NEED_POSTGRES=1 $(GO) test -count=1 ./deploy -run TestKubernetesPostgres
	NEED_POSTGRES=1 $(GO) test -count=1 -timeout 20m ./internal/cli -run 'TestDrill|TestRollingScript|TestScriptsOnPostgres|TestStressFindsPlantedFaultsOnPostgres'

## fuzz: run every fuzz target for FUZZTIME
FUZZTIME ?= 10s
.PHONY: fuzz
fuzz:
	scripts/fuzz.sh $(FUZZTIME)

## mutate-known: make changes that tests once failed to notice, and check that they notice
.PHONY: mutate-known
mutate-known:
	$(GO) run ./scripts/mutate -known

## mutate: change the source in MUTATIONS small ways and check whether the tests notice (takes long)
MUTATIONS ?= 160
.PHONY: mutate
mutate:
	nice $(GO) run ./scripts/mutate -n $(MUTATIONS)

## golden: regenerate documents and snapshots
.PHONY: golden
golden:
	$(GO) test ./internal/mcpserver ./internal/cli ./internal/sqlite -run 'Golden|Snapshot|Docs|SchemaDigests' -update

## fmt: format the code
.PHONY: fmt
fmt:
	$(GO) run $(GOFUMPT) -w .

## check: check formatting, linters, layers, dead code, tidy modules and builds for all platforms
.PHONY: check
check: check-format lint check-dead tidy check-charts platforms

.PHONY: check-format
check-format:
	@out=$$($(GO) run $(GOFUMPT) -l .); if [ -n "$$out" ]; then echo "not formatted (run make fmt):"; echo "$$out"; exit 1; fi

.PHONY: lint
lint:
	$(GO) vet ./...
	$(GO) run $(GOLANGCI) run ./...

# Lists of what there is, which tests of other packages go through.
FOR_TESTS := table/.*: Programs$$|verdict/.*: Rules$$|sandbox/.*: Probe$$

# Functions that the program never calls. The linter finds those that nothing calls.
.PHONY: check-dead
check-dead:
	@out=$$($(GO) run $(DEADCODE) ./cmd/bridge) || exit 1; \
	out=$$(echo "$$out" | grep -vE '$(FOR_TESTS)'); \
	if [ -n "$$out" ]; then echo "never called by the program (remove it, or move it into a test):"; echo "$$out"; exit 1; fi

.PHONY: tidy
tidy:
	$(GO) mod tidy -diff
	cd bench && $(GO) mod tidy -diff
	cd deploy/image && $(GO) mod tidy -diff

# The stored charts are those of the stored report.
.PHONY: check-charts
check-charts:
	cd bench && $(GO) vet ./charts && $(GO) test ./charts

## platforms: build for every platform and discard the result; check that tests compile on each system
.PHONY: platforms
platforms:
	@for p in $(PLATFORMS); do \
		echo "build $$p"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/bridge || exit 1; \
	done
	@for os in darwin windows; do echo "vet $$os"; GOOS=$$os $(GO) vet ./... || exit 1; done

## bench: run benchmarks, and the comparison with C SQLite (needs a C compiler)
BENCHCOUNT ?= 5
.PHONY: bench
bench:
	$(GO) test -run '^$$' -bench . -benchmem -count $(BENCHCOUNT) ./internal/... | tee bin/bench.txt
	$(GO) run $(BENCHSTAT) bin/bench.txt
	cd bench && CGO_ENABLED=1 $(GO) test -run '^$$' -bench . -count $(BENCHCOUNT) -v .

## bench-charts: measure, and draw docs/performance; BENCH_JSON=FILE draws an existing report
BENCH_JSON ?=
BENCH_FLAGS ?= --samples 1000 --warm-up 100 --pairs 1,2,5,10,20 --growth 2000,10000,100000,1000000
CHARTS := docs/performance
.PHONY: bench-charts
bench-charts: build
ifeq ($(BENCH_JSON),)
	bin/bridge bench --json $(BENCH_FLAGS) >bin/report.json
	cp bin/report.json $(CHARTS)/report.json
else
	[ $(BENCH_JSON) -ef $(CHARTS)/report.json ] || cp $(BENCH_JSON) $(CHARTS)/report.json
endif
	cd bench && $(GO) run ./charts ../$(CHARTS)/report.json ../$(CHARTS)

## test-inspector: test with the MCP Inspector in strict mode (needs Node 22)
.PHONY: test-inspector
test-inspector: build
	scripts/test-inspector.sh bin/bridge

## test-sdk: test with both TypeScript SDKs (needs Node 22)
.PHONY: test-sdk
test-sdk: build
	scripts/test-sdk.sh bin/bridge

## test-ui: test the operator's page in a real Chromium (needs npm and chromium)
.PHONY: test-ui
test-ui:
	scripts/test-ui.sh

## ui-screenshots: take the screenshots of the operator's page for the documents (needs npm and chromium)
.PHONY: ui-screenshots
ui-screenshots:
	scripts/test-ui.sh bin/pictures
	cp bin/pictures/overview-light.png docs/ui-overview.png
	cp bin/pictures/transcript-dark.png docs/ui-transcript.png

## test-harness: test `bridge serve`, the gateway, the examples and three third-party servers with `bridge harness` (the last need npm)
.PHONY: test-harness
test-harness: build
	scripts/test-harness.sh bin/bridge
	scripts/test-examples.sh bin/bridge
	scripts/test-report.sh bin/bridge

## test-conformance: run the official conformance suite against the gateway, in both eras (needs npm)
.PHONY: test-conformance
test-conformance: build
	scripts/test-gateway-conformance.sh bin/bridge

## test-machines: run the S2 protocol with each agent in a network namespace, without shared
## files; 90 minutes are divided by MACHINES_COMPRESS (Linux, root, ip, unshare)
MACHINES_COMPRESS ?= 180
.PHONY: test-machines
test-machines: build
	scripts/test-machines.sh bin/bridge $(MACHINES_COMPRESS)

## test-poisoned: run tests as on the machine of a bridge user
.PHONY: test-poisoned
test-poisoned:
	scripts/test-poisoned.sh -short ./internal/cli ./internal/doctor ./internal/agents ./internal/fleet ./internal/mcpserver ./internal/stdio

## test-clients: test with the real clients and a scripted model (needs npm)
.PHONY: test-clients
test-clients:
	scripts/test-clients.sh

## mcpb: build bundles for desktop clients, and server.json with their hashes, into dist/
.PHONY: mcpb
mcpb:
	$(GO) run ./scripts/mcpb -ldflags '$(LDFLAGS)' dist $(PLATFORMS)

## test-docs: run the commands in the documents, in a copy with an empty HOME (needs jq)
.PHONY: test-docs
test-docs:
	scripts/test-docs.sh

## test-packages: run the vendors' validators on plugin, extension and bundle (needs npm)
.PHONY: test-packages
test-packages:
	scripts/test-packages.sh

## reproducible: build twice from two folders, and compare
REPRODUCE ?= linux/amd64
.PHONY: reproducible
reproducible:
	scripts/reproducible.sh $(REPRODUCE)

GORELEASER := github.com/goreleaser/goreleaser/v2@v2.15.1

## release-snapshot: make all files of a release in dist/, unsigned (builds goreleaser: minutes)
.PHONY: release-snapshot
release-snapshot:
	$(GO) run $(GORELEASER) release --clean --snapshot --skip=sign,publish

## release-check: make a whole release of the version in server.json, unpublished, sign it
## with a temporary key, verify and install it (ten minutes and more)
.PHONY: release-check
release-check:
	scripts/release-check.sh $(GORELEASER)

## release: publish a tag as a draft release, signed with RELEASE_KEY
.PHONY: release
release:
	$(GO) run $(GORELEASER) release --clean

## clean: remove what was built
.PHONY: clean
clean:
	rm -rf bin dist

.PHONY: help
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

-include redact.mk
