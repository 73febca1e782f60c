# The work is in tools/; each of them installs what it lacks into .tools/, or says how to get it.
.DEFAULT_GOAL := help
.PHONY: help run test unit unit-wasm module e2e conformance planted fuzz bench bench-core bench-guest wasm cli envoy language lint fmt clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run Envoy with Tollgate: POLICY=file PORT=10000 ADMIN_PORT=9901 CONCURRENCY=2 UPSTREAM=host:port
	@tools/run

test: ## run all tests: natively, as wasm in Node, and in a real Envoy
	@tools/test

unit: ## run the tests that need no Envoy natively: units, properties, capacity, faults, command line, pages
	@tools/unit

unit-wasm: ## run the same tests as wasm in Node
	@tools/unit-wasm

module: ## test the built module: its exports and imports, and that another folder builds the same
	@tools/module

e2e: ## run the end-to-end tests in a real Envoy (ENVOY=binary to choose it)
	@tools/e2e

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
	@tools/cargo build --release --features cli --bin tollgate

envoy: ## fetch Envoy and print where it is
	@tools/get-envoy

language: ## write the language's schema and reference page anew
	@tools/cargo build --quiet --features cli --bin tollgate # or a fault would leave empty files
	@tools/cargo run --quiet --features cli --bin tollgate -- schema >envoy/tollgate.schema.json
	@tools/cargo run --quiet --features cli --bin tollgate -- reference >docs/language.md

lint: ## check the formatting, clippy for both targets with warnings denied, and that the fuzz targets compile
	tools/cargo fmt --check
	tools/cargo fmt --manifest-path fuzz/Cargo.toml --check
	tools/cargo clippy --all-targets --all-features -- -D warnings
	tools/wasm-cargo clippy --lib -- -D warnings
	RUSTFLAGS='--cfg fuzzing' tools/cargo check --manifest-path fuzz/Cargo.toml

fmt: ## format the code
	@tools/cargo fmt

clean: ## remove target/
	rm -rf target

distclean: clean ## remove what was fetched, too
	rm -rf .tools
