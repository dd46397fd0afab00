# The root commands. On a fresh Debian machine with rustup, a C compiler, make, Node 20 and
# Python 3 there is nothing to install beforehand: tests/setup.sh brings in the rest, pinned.

PROOF_MINUTES ?= 5
# How often `make proof` kills the server in the guest; under Node and natively a fifth of that.
KILLS ?= 1000
# Bodies compared with Debian's influxd; `make test` takes 5,000.
DIFFERENTIAL_BODIES ?= 100000
# Minutes that each of the six fuzz targets is tried; `make test` takes 3 seconds.
FUZZ_MINUTES ?= 10
# Seconds of fresh seeds of the simulator in `make test`, beside those that always run; `make proof`
# takes PROOF_MINUTES of them.
SIM_SECONDS ?= 0
# Seeds whose effect trace is compared natively, in wasmtime and in V8; `make test` takes 200.
TRACE_SEEDS ?= 10000
BINARY := target/release/tidegate
HTTP ?= 127.0.0.1:8086
DATA ?= ./tidegate-data

.PHONY: run build js toolchain setup lint quick planted test proof bench bench-quick clean

run: build
	$(BINARY) serve --http $(HTTP) --data $(DATA)

# The compiler and targets of rust-toolchain.toml, where rustup does not fetch them by itself.
toolchain:
	@! command -v rustup >/dev/null || \
		rustup target list --installed | grep -q wasm32-unknown-unknown || \
		rustup target add wasm32-unknown-unknown

build: toolchain
	cargo build --release -p tidegate

# The JavaScript face and the npm package around it, into wasm/dist.
js: toolchain
	node wasm/scripts/build.mjs

# Debian packages, the Python environment and the npm packages that tests need.
setup: toolchain
	bash tests/setup.sh

lint: toolchain
	cargo fmt --all --check
	cargo clippy -p tidegate-core --all-targets --features inflate -- -D warnings

# The core alone, in seconds.
quick: toolchain
	cargo test -p tidegate-core --features inflate

# One command builds all that needs wasmtime, so that it is compiled once: the server comes
# with the tests of its package.
PACKAGES := -p tidegate -p tidegate-wasm -p tidegate-wasm-build -p tidegate-tests

# Bugs on purpose, each of which the simulator has to find. The only build that has them in it;
# without wasmtime.
planted:
	cargo test --release -p tidegate-planted --features planted -- --nocapture

test: setup lint quick planted
	cargo test --release $(PACKAGES) --no-run
	node wasm/scripts/build.mjs
	TIDEGATE_SIM_SECONDS=$(SIM_SECONDS) cargo test --release $(PACKAGES) --no-fail-fast
	node --test --test-timeout=120000 wasm/test/
	python3 tests/readme.py
	python3 tests/clients/run.py --binary $(BINARY)

proof: setup
	cargo test --release $(PACKAGES) --no-run
	node wasm/scripts/build.mjs
	PROOF_MINUTES=$(PROOF_MINUTES) KILLS=$(KILLS) TIDEGATE_TRACE_SEEDS=$(TRACE_SEEDS) \
		DIFFERENTIAL_BODIES=$(DIFFERENTIAL_BODIES) FUZZ_MINUTES=$(FUZZ_MINUTES) \
		cargo test --release $(PACKAGES) -- --nocapture

bench: setup build
	cargo run --release -p tidegate-tests --bin bench -- --binary $(BINARY) \
		--goal-cpu-ratio-influx 12 --goal-group-ratio-influx 3 --goal-native-ratio 1.5 \
		--goal-replay-ratio 3 --goal-start-seconds 2

bench-quick: setup build
	cargo run --release -p tidegate-tests --bin bench -- --binary $(BINARY) --quick

clean:
	cargo clean
	rm -rf wasm/dist wasm/node_modules tests/.venv tests/js/node_modules
