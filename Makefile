# KnoBot. `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

MODULES  := gen platform services/channels services/conversation services/gateway services/rag simulator cli e2e
SERVICES := gateway conversation rag channels
BIN      := $(CURDIR)/bin
LDFLAGS  := -s -w
# Without grpcnotrace, gRPC reaches html/template, and a program that can holds every method of every type (docs/architecture/performance.md).
GO_BUILD := CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -ldflags "$(LDFLAGS)"
export PATH := $(BIN):$(PATH)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## Programs

.PHONY: build
build: ## Put the static binaries gateway, conversation, rag, channels, simulator and knobot in bin/
	@mkdir -p $(BIN)
	@for s in $(SERVICES); do $(GO_BUILD) -o $(BIN)/$$s ./services/$$s/cmd/$$s; done
	@$(GO_BUILD) -o $(BIN)/simulator ./simulator/cmd/simulator
	@$(GO_BUILD) -o $(BIN)/knobot ./cli/cmd/knobot

.PHONY: up
up: build $(BIN)/weaviate-server ## Start everything on this machine: no account, no key; Ctrl-C stops it, data stays
	@exec $(BIN)/knobot up

# Tools have modules of their own under tools/, outside go.work: their dependencies must not touch ours.
tool = GOWORK=off CGO_ENABLED=0 go build -C tools/$(1) -trimpath -ldflags "-s -w" -o $@ $(2)

$(BIN)/weaviate-server: tools/weaviate/go.mod
	@echo "Building Weaviate from its Go module; this takes two to five minutes, once."
	@$(call tool,weaviate,github.com/weaviate/weaviate/cmd/weaviate-server) & \
	  pid=$$!; t=0; while kill -0 $$pid 2>/dev/null; do sleep 1; t=$$((t+1)); (( t % 15 )) || echo "  still building Weaviate, $$t s"; done; wait $$pid
$(BIN)/buf: tools/buf/go.mod
	@$(call tool,buf,github.com/bufbuild/buf/cmd/buf)
$(BIN)/golangci-lint: tools/golangci-lint/go.mod
	@$(call tool,golangci-lint,github.com/golangci/golangci-lint/v2/cmd/golangci-lint)
$(BIN)/protoc-gen-go: tools/protoc/go.mod
	@$(call tool,protoc,google.golang.org/protobuf/cmd/protoc-gen-go)
$(BIN)/protoc-gen-go-grpc: tools/protoc/go.mod
	@$(call tool,protoc,google.golang.org/grpc/cmd/protoc-gen-go-grpc)
$(BIN)/protoc-gen-grpc-gateway: tools/protoc/go.mod
	@$(call tool,protoc,github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway)
$(BIN)/protoc-gen-openapiv3: tools/protoc/go.mod
	@$(call tool,protoc,github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv3)
$(BIN)/openapiv3-merge: tools/protoc/go.mod
	@$(call tool,protoc,github.com/grpc-ecosystem/grpc-gateway/v2/openapiv3-merge)
$(BIN)/grpcurl: tools/protoc/go.mod
	@$(call tool,protoc,github.com/fullstorydev/grpcurl/cmd/grpcurl)

$(BIN)/kube-score: tools/kube-score/go.mod
	@$(call tool,kube-score,github.com/zegl/kube-score/cmd/kube-score)

# Kubernetes itself, for make test-cluster.
KUBERNETES := v1.37.2
$(BIN)/kubernetes: tools/kubernetes/go.mod tools/kubernetes/main.go
	@echo "Building Kubernetes from its Go module; this takes ten minutes, once."
	@v=$(KUBERNETES); minor=$${v#v1.}; p=k8s.io/component-base/version; GOWORK=off CGO_ENABLED=0 go build -C tools/kubernetes -trimpath \
	  -ldflags "-s -w -X $$p.gitVersion=$$v -X $$p.gitMajor=1 -X $$p.gitMinor=$${minor%.*}" -o $@ .
$(BIN)/coredns: tools/coredns/go.mod tools/coredns/main.go
	@$(call tool,coredns,.)

$(BIN)/cyclonedx-gomod: tools/sbom/go.mod
	@$(call tool,sbom,github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod)

BUF_TOOLS := $(addprefix $(BIN)/,buf protoc-gen-go protoc-gen-go-grpc protoc-gen-grpc-gateway protoc-gen-openapiv3 openapiv3-merge)

# `make bin/grpcurl` as people type it: the rules above have whole paths.
bin/%: $(BIN)/% ;

.PHONY: tools
tools: $(BUF_TOOLS) $(BIN)/golangci-lint $(BIN)/grpcurl $(BIN)/kube-score $(BIN)/weaviate-server ## Build the pinned tools into bin/

## Code

.PHONY: generate
generate: $(BUF_TOOLS) ## Write gen/ anew from proto/
	@buf format -w --path proto/knobot
	@rm -rf gen/knobot && buf generate
	@scripts/openapi > gen/openapi/openapi.json
	@go run ./platform/cmd/configuration > docs/configuration.md
	@scripts/rules > k8s/components/monitoring/rules.yaml

.PHONY: fmt
fmt: $(BIN)/golangci-lint ## Format the Go code
	@for m in $(MODULES); do (cd $$m && golangci-lint fmt); done

.PHONY: verify
verify: verify-proto verify-go verify-k8s ## Generated code, lint, format, breaking changes: what must hold before any test

.PHONY: verify-proto
verify-proto: $(BUF_TOOLS)
	@buf lint
	@buf format -d --exit-code --path proto/knobot > /dev/null || { echo "proto/ is not formatted: make generate"; exit 1; }
	@scripts/breaking
	@scripts/generated
	@go run ./platform/cmd/configuration | diff -u docs/configuration.md - || { echo "docs/configuration.md is out of date: make generate"; exit 1; }

.PHONY: verify-go
verify-go: $(BIN)/golangci-lint
	@scripts/sizes
	@for m in $(MODULES); do echo "verify $$m"; (cd $$m && GOWORK=off go build ./... && golangci-lint run --allow-parallel-runners ./...); done

.PHONY: verify-k8s
verify-k8s: $(BIN)/kube-score
	@scripts/rules | diff -u k8s/components/monitoring/rules.yaml - || { echo "rules.yaml is out of date: make generate"; exit 1; }
	@scripts/score

.PHONY: test
test: verify build $(BIN)/weaviate-server $(BIN)/grpcurl ## Everything that CI runs: verify, then unit, storage, RPC and end-to-end tests with the race detector
	@go test -race -shuffle=on -timeout 20m work
	@$(MAKE) test-alerts

.PHONY: test-alerts
test-alerts: ## Check rules and dashboards with Prometheus' parser and, where Debian's package prometheus is installed, with promtool
	@cd tools/prometheus && GOWORK=off go test ./...
	@if command -v promtool >/dev/null; then cd k8s/components/monitoring && promtool check rules alerts.yaml && promtool test rules alerts_test.yaml; \
	  else echo "promtool is not installed, so that no alert was fired: apt-get install prometheus"; fi

.PHONY: test-judges
test-judges: build $(BIN)/weaviate-server ## Let programs by others judge what is said on the wire: needs node, npm and its registry
	@KNOBOT_TEST_JUDGES=1 go test -count=1 -v -timeout 10m -run '^(TestJudge|TestForeignEmulator)' ./e2e

.PHONY: test-faults
test-faults: build $(BIN)/weaviate-server ## Break everything at full length while customers write, and account for every message (20 minutes)
	@cd e2e/faults && go test -count=1 -timeout 60m -args -long

.PHONY: test-images
test-images: ## Build every image from Dockerfile and run it, without a network: needs root and buildah; minutes
	@scripts/images

.PHONY: test-cluster
test-cluster: ## Run it all on a Kubernetes of one node, and take everything away while customers write: needs root; minutes
	@scripts/cluster

.PHONY: sbom
sbom: build $(BIN)/cyclonedx-gomod ## Write what each program is made of to sbom/, as CycloneDX JSON
	@scripts/sbom

.PHONY: reproducible
reproducible: ## Build every program twice, in two folders, and compare them
	@scripts/reproducible

.PHONY: bench
bench: build $(BIN)/weaviate-server ## Our speed against a bare handler and a bare Weaviate, in the same run
	@go run ./e2e/cmd/bench

.PHONY: profile
profile: build $(BIN)/weaviate-server ## One round of the benchmark, with a CPU profile of each service in profiles/
	@mkdir -p profiles
	@go run ./e2e/cmd/bench -rounds 1 -profile profiles

.PHONY: eval
eval: build $(BIN)/weaviate-server ## Measure the answers on the questions beside the repository, without a model
	@go run ./e2e/cmd/eval

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (default 60s)
	@scripts/fuzz $(or $(FUZZTIME),60s)

.PHONY: clean
clean: ## Remove bin/; the data of make up in .knobot stays
	@rm -rf $(BIN)
