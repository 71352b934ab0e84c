# SPDX-License-Identifier: Apache-2.0
# `make` or `make help` lists the targets. Everything that takes long is built once and cached outside this tree.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CACHE := $(or $(SPINE_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/spine)
# The toolchain that hack/bootstrap.sh fetched serves only where the machine's own Go is missing or too old.
export PATH := $(PATH):$(CACHE)/go/bin
export GOTOOLCHAIN ?= local

STACK ?= local
LOCAL = go run ./hack/local
# What may not be written by hand: the provider's schema and SDK, the operators' definitions and roles, and what the
# platform takes from the engines' own modules.
GENERATED = infra/provider/schema.json infra/provider/sdk operators/api operators/manifests infra/platform hack/awsdouble/table/table.json

.PHONY: help
help: ## This list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: bootstrap
bootstrap: ## Install what a bare Debian machine lacks: a few packages, and Go
	@hack/bootstrap.sh

.PHONY: up
up: bootstrap ## Bring everything up on the virtual rack, to a first message and booking
	@$(LOCAL) up --stack $(STACK)

.PHONY: down
down: bootstrap ## Destroy the stack and the rack with all they hold; FORCE=1 when beyond repair
	@$(LOCAL) down --stack $(STACK) $(if $(FORCE),--force)

.PHONY: status
status: bootstrap ## The rack, the nodes, the services, and every pod that is not well
	@$(LOCAL) status --stack $(STACK)

.PHONY: images
images: bootstrap ## Build and push images for the next "pulumi up" to roll; REVISION=r2 for all
	@$(LOCAL) images --stack $(STACK) $(if $(REVISION),--revision '$(REVISION)')

.PHONY: env
env: bootstrap ## Print the environment for pulumi, kubectl, rack and load: eval "$(make -s env)"
	@$(LOCAL) env --stack $(STACK)

.PHONY: tools
tools: bootstrap ## Build the pinned tools from source; those present are skipped
	@go run ./hack/tools build

.PHONY: generate
generate: bootstrap ## Regenerate the provider's schema and SDK, the operators' definitions and roles
	@go build -C hack/tools/modules/controllergen -o "$(CACHE)/bin/controller-gen" sigs.k8s.io/controller-tools/cmd/controller-gen
	@PATH="$(CACHE)/bin:$$PATH" go generate ./infra/... ./hack/... ./operators/...

.PHONY: fmt
fmt: bootstrap ## Format the Go files
	@gofmt -w $$(git ls-files '*.go')

.PHONY: lint
lint: bootstrap ## Formatting, vet, staticcheck, import directions, file sizes, links
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "not formatted (make fmt): $$out"; exit 1; }
	@go vet ./... && go vet -tags "e2e e2eaws offline apiserver engines" ./hack/... ./stacks ./infra/provider/kubernetes ./operators/...
	@go build -C hack/tools/modules/staticcheck -o "$(CACHE)/bin/staticcheck" honnef.co/go/tools/cmd/staticcheck
	@"$(CACHE)/bin/staticcheck" -tags e2e,e2eaws,offline,apiserver,engines $$(go list -tags e2e,e2eaws,engines ./... | grep -v /infra/provider/sdk/)
	@go run ./hack/verify

.PHONY: verify
verify: generate lint ## Generated files are up to date, and lint
	@git diff --exit-code -- $(GENERATED) || { echo "generated files differ: commit what 'make generate' made"; exit 1; }
	@go mod tidy -diff
	@go mod verify

.PHONY: test
test: bootstrap ## Unit tests, a real kube-apiserver, real engines, offline previews; as root
	@go run ./hack/tools build
	@SPINE_ENGINES="$$(go run ./hack/images engines)" go test -timeout 30m -tags "offline apiserver engines" ./...

.PHONY: e2e
e2e: bootstrap ## The whole system on its own rack, with real faults; LABELS=slow for the slowest
	@go run ./hack/local prepare
	@go test -tags e2e ./hack/e2e -timeout 80m -v -count 1 $(if $(LABELS),-ginkgo.label-filter='$(LABELS)',-ginkgo.label-filter='!slow')

.PHONY: e2e-aws
e2e-aws: override export SPINE_AWS_BRIDGE := $(abspath $(SPINE_AWS_BRIDGE))
e2e-aws: bootstrap ## Whole environments on an AWS emulator or a sandbox account: hack/e2eaws/README.md
	@go run ./hack/tools build
	@go test -tags e2eaws ./hack/e2eaws -timeout 180m -v -count 1

.PHONY: bench
bench: bootstrap ## Time every phase, gaps, previews and the idle site; compare with the last run
	@go run ./hack/bench
