# The work is in tools/; each of them installs what it lacks into .tools/, or says how to get it.
.DEFAULT_GOAL := help
.PHONY: help playground playground-test playground-picture run fleet container container-fleet container-down image fleet-image release release-test test unit unit-wasm module e2e observe container-test conformance planted fuzz bench bench-core bench-guest wasm cli envoy language lint fmt clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run Envoy with Tollgate: POLICY=file PORT=10000 ADMIN_PORT=9901 CONCURRENCY=2 UPSTREAM=host:port
	@tools/run

fleet: ## run two Envoys that share their limits, with the service and Redis: variables as above, PORT_2=10001 ADMIN_PORT_2=9902
	@tools/fleet

playground: ## build and serve the playground, a page that shows what a policy does with its traffic: PORT=5180
	@tools/playground

playground-test: ## test the playground in a headless Chromium: its core agrees with the native one, and its page does what it shows
	@tools/playground-test

playground-picture: ## take the picture of README anew, from the real page
	@tools/playground-picture

container: ## start Envoy with Tollgate in a container (docker or podman): variables as above, and ENVOY_IMAGE=image
	@tools/container-run up

container-down: ## stop and remove that container
	@tools/container-run down

container-fleet: ## start two Envoys that share their limits in containers, with the service and Redis: also PORT_2=10001 ADMIN_PORT_2=9902
	@tools/container-run fleet

image: ## build the module's image for Istio and Envoy Gateway, IMAGE=tollgate:latest, IMAGE_ARCHIVE=file to write it there as an OCI archive
	@tools/container-image $(IMAGE)

fleet-image: ## build the image of the fleet's service, IMAGE=localhost/tollgate-fleet:latest
	@tools/fleet-image $(IMAGE)

release: ## make the artefacts of a release: target/release-artefacts/
	@tools/release

test: ## run all tests: natively, as wasm in Node, in a real Envoy and the oldest supported one, the playground in a browser, in a container, and of a release
	@tools/test

unit: ## run the tests that need no Envoy natively: units, properties, capacity, faults, command line, pages, the fleet's service on Redis
	@tools/unit

unit-wasm: ## run the same tests as wasm in Node
	@tools/unit-wasm

module: ## test the built module: its exports and imports, and that another folder builds the same
	@tools/module

e2e: ## run the end-to-end tests in a real Envoy, in a fleet of them with Redis, and `make observe` (ENVOY_VERSION=1.36.4 or ENVOY=binary for another)
	@tools/e2e

observe: ## ask each query of the board, the alerts and the pages, on a real Prometheus that scrapes two Envoys under traffic
	@tools/observe

container-test: ## run the tests in a real container (ENVOY_IMAGE=image, CONTAINER_ENGINE=docker or podman to choose)
	@tools/container-test

release-test: ## make a draft of a release, twice, and test it
	@tools/release-test

conformance: ## run the tests that prove a published promise, and print which one proves which
	@tools/conformance

planted: ## plant each bug of tests/adversary/planted in a copy, and require that the adversary finds it
	@tools/planted

fuzz: ## fuzz what takes bytes from outside, FUZZ_SECONDS=30 for each target
	@tools/fuzz

bench: ## measure what the filter costs in a real Envoy, beside what else there is (BENCHMARKS.md)
	@tools/bench

bench-core: ## measure what a decision costs in the native core: time, allocations, instructions
	@tools/bench-core

bench-guest: ## measure the module's own code in Node, without Envoy
	@tools/bench-guest

wasm: ## build the module: target/tollgate.wasm
	@tools/build-wasm

cli: ## build the command line tool: target/release/tollgate
	@tools/cargo build --release -p tollgate-cli

envoy: ## fetch Envoy and print where it is
	@tools/get-envoy

language: ## write the language's schema and reference page anew
	@tools/cargo build --quiet -p tollgate-cli # or an error would leave empty files
	@tools/cargo run --quiet -p tollgate-cli -- schema >envoy/tollgate.schema.json
	@tools/cargo run --quiet -p tollgate-cli -- schema --test >envoy/tollgate-test.schema.json
	@tools/cargo run --quiet -p tollgate-cli -- reference >docs/language.md

lint: ## check the formatting, clippy for both targets with warnings denied, the types of the playground's page, and that the fuzz targets compile
	tools/cargo fmt --all --check
	tools/cargo fmt --manifest-path fuzz/Cargo.toml --check
	tools/cargo clippy --workspace --all-targets -- -D warnings
	tools/cargo clippy --test envoy --test fleet --test observe --test container --test module --test release -- -D warnings # which --all-targets leaves out
	tools/wasm-cargo clippy --lib -- -D warnings
	tools/wasm-cargo clippy --lib --package tollgate-playground -- -D warnings
	tools/playground-build --check
	RUSTFLAGS='--cfg fuzzing' tools/cargo check --manifest-path fuzz/Cargo.toml

fmt: ## format the code
	@tools/cargo fmt --all

clean: ## remove target/
	rm -rf target

distclean: clean ## remove what was fetched, too
	rm -rf .tools
