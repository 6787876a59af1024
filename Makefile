# What one does with this repository. `make` alone lists it; docs/DEVELOPING.md tells more.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The demo is built as the tests are: one compilation serves both, and it starts soonest on a fresh machine.
# A few thousand events per second need no more; `make demo PROFILE=release` shows the real speed.
PROFILE ?= dev
IMAGE ?= driftd
KAFKA_PORT ?= 9092
TARGET := $(or $(CARGO_TARGET_DIR),target)
RUNNING := $(TARGET)/kafka/running

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

.PHONY: setup
setup: ## install what is missing for all of this (Debian and Ubuntu, as root), or say what to install
	@scripts/setup.sh test

.PHONY: setup-build
setup-build:
	@scripts/setup.sh build

.PHONY: demo
demo: setup-build ## the whole story in a minute and a half: drift, alerts, retraining, recovery; needs no broker
	@echo "building driftd; the first time takes a few minutes" >&2
	cargo run --quiet --locked --profile $(PROFILE) -- demo $(ARGS)

.PHONY: test
test: setup ## everything that continuous integration checks
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	scripts/lint.sh
	scripts/kafka.sh jars
	cargo test --locked
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

.PHONY: check
check: setup-build ## the fast part of it: format, lints, unit tests
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	cargo test --locked --lib --bins

.PHONY: bench-detection
bench-detection: setup-build ## false alerts and detections on simulated streams, beside other tools' rules (minutes); writes docs/DETECTION.md
	cargo bench --quiet --locked --bench detection -- --write $(ARGS)

.PHONY: bench
bench: setup-build ## the parts of the engine one by one: decoding, lookups, join, panes, figures, snapshot; ARGS=cell for some of them
	cargo bench --quiet --locked --bench parts -- $(ARGS)

.PHONY: bench-pipeline
bench-pipeline: setup ## what driftd costs from Kafka, from files and in memory, and a thousand models (minutes); writes docs/PERFORMANCE.md
	scripts/kafka.sh jars
	cargo bench --quiet --locked --bench pipeline -- --write $(ARGS)

.PHONY: bench-peers
bench-peers: setup ## driftd beside other tools on the same data (minutes); writes docs/PERFORMANCE.md and its chart
	scripts/peers.sh --write $(ARGS)

.PHONY: lint
lint: setup ## lint the Dockerfile and the scripts
	scripts/lint.sh

.PHONY: deny
deny: ## licences, advisories and sources of the dependencies (needs cargo-deny)
	@cargo deny --version >/dev/null 2>&1 || { echo "cargo-deny is missing: run 'cargo install --locked cargo-deny'" >&2; exit 1; }
	cargo deny --all-features --locked check

.PHONY: kafka-start
kafka-start: setup ## start an Apache Kafka broker on this machine, on port KAFKA_PORT=9092
	@if [ -e $(RUNNING) ]; then echo "already started: $$(cat $(RUNNING)); 'make kafka-stop' first" >&2; exit 1; fi
	@mkdir -p $(dir $(RUNNING))
	@scripts/kafka.sh start $(KAFKA_PORT) | tee $(RUNNING).new
	@mv $(RUNNING).new $(RUNNING)

.PHONY: kafka-stop
kafka-stop: ## stop that broker and delete its data
	@if [ -e $(RUNNING) ]; then scripts/kafka.sh remove "$$(cut -d ' ' -f 2 $(RUNNING))" || true; rm -f $(RUNNING); fi

.PHONY: docker
docker: ## build the container image
	DOCKER_BUILDKIT=1 docker build --tag $(IMAGE) .
