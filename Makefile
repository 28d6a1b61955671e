# Everything a person does here, one word each. Needs Python 3.11+ and make, nothing else.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo loop recipes test check coverage crash kill kill-runs kill-daemons soak mutants sim bench bench-limits litellm trainers container format pins pins-litellm pins-trainers clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): constraints.txt pyproject.toml clients/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable ./clients --editable .
	@touch $(READY)

demo: $(READY)  ## run the plots recipe on a simulated endpoint, and say where the corpus is
	@rm -rf out/demo && mkdir -p out/demo
	@$(BIN)/corpusmill recipes copy plots out/demo
	@env -u OPENAI_BASE_URL -u OPENAI_API_KEY -u OPENAI_MODEL -u CORPUSMILL_CONFIG \
		$(BIN)/corpusmill run out/demo/plots.yaml --data out/demo/data

loop: $(READY)  ## the recipe medical-loop: notes, a corpus, a model trained on it, base against tuned on unseen notes
	$(BIN)/python -m benchmarks.loop

recipes: $(READY)  ## run every shipped recipe at a small size on a simulated endpoint that errs, and show its books
	$(BIN)/python -m tests.recipes

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest

check: $(READY)  ## everything that must hold: format, lint, types, layers, pins, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pip check
	$(BIN)/python -m pytest
	$(BIN)/python -m tests.sim.crashes

crash: $(READY)  ## crash the journal on a simulated disk, some 20,000 times: make crash SCALE=10 for more
	$(BIN)/python -m tests.sim.crashes --scale $(or $(SCALE),1)

kill: kill-runs kill-daemons  ## kill -9 a real run 50 times and a daemon 20 times, and cut a file system off where root allows that

kill-runs: $(READY)
	$(BIN)/python -m tests.e2e.cuts

kill-daemons: $(READY)
	$(BIN)/python -m tests.e2e.daemon_cuts

coverage: $(READY)  ## how often the 95 % intervals of `evaluate` contain a truth that is known
	$(BIN)/python -m tests.evaluate.coverage

soak: $(READY)  ## three jobs, faults, and 5 kill -9 of a real daemon: make soak SECONDS=600 for ten minutes
	$(BIN)/python -m tests.soak --seconds $(or $(SECONDS),40) --kills $(or $(KILLS),5)

mutants: $(READY)  ## break our own code on purpose, and see that the crash tests catch it (a few minutes)
	$(BIN)/python -m tests.mutants

sim: $(READY)  ## replay one seed of the engine's simulation: make sim SEED=7
	SEED=$(or $(SEED),0) $(BIN)/python -m pytest tests/engine/test_simulation.py

fuzz: $(READY)  ## ask the daemon's API whatever its description allows, and more: make fuzz FUZZ=50
	FUZZ=$(or $(FUZZ),30) $(BIN)/python -m pytest tests/web/test_fuzz.py

bench: $(READY)  ## measure against the raw aiohttp loop and the openai SDK, in one run
	$(BIN)/python -m benchmarks

bench-limits: $(READY)  ## measure the limiter against models of real servers
	$(BIN)/python -m benchmarks.limits --sockets 30

LITELLM := .venv-litellm
$(LITELLM)/.ready: constraints-litellm.txt
	$(PYTHON) -m venv $(LITELLM)
	$(LITELLM)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints-litellm.txt
	@touch $@

litellm: $(READY) $(LITELLM)/.ready  ## the limiter against LiteLLM's proxy, which is installed in an environment of its own
	$(BIN)/python -m pytest tests/limits/test_litellm.py

TRAINERS := .venv-trainers
# No hashes for torch: whether its CPU or its CUDA build is right is up to the machine, and pip's configuration there.
$(TRAINERS)/.ready: constraints-trainers.txt
	$(PYTHON) -m venv $(TRAINERS)
	$(TRAINERS)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(TRAINERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r constraints-trainers.txt
	@touch $@

trainers: $(READY) $(TRAINERS)/.ready  ## train a tiny model with TRL, on the CPU, on what `finetune --for trl` writes
	$(BIN)/python -m pytest tests/finetune/test_training.py

container: $(READY)  ## act out the steps of the Dockerfile without an engine, and run what comes of it as a stranger
	CONTAINER=1 $(BIN)/python -m pytest tests/deploy/test_container.py

format: $(READY)  ## put the code in its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pins:  ## resolve the dependencies anew, with hashes: all of them, and what the container needs (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-emit-package corpusmill-client \
		--output-file constraints.txt
	uv pip compile pyproject.toml --all-extras --constraints constraints.txt --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-emit-package corpusmill-client \
		--output-file deploy/requirements.txt
	echo hatchling | uv pip compile - --constraints constraints.txt --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --output-file deploy/requirements-build.txt

pins-litellm:  ## resolve the dependencies of LiteLLM's proxy anew (needs uv)
	echo 'litellm[proxy]==1.106.2' | uv pip compile - --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --output-file constraints-litellm.txt

pins-trainers:  ## resolve TRL's dependencies anew, but for torch (needs uv)
	echo torch >.torch
	echo 'trl[peft]==1.16.0' | uv pip compile - --excludes .torch --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --output-file constraints-trainers.txt
	rm .torch

clean:  ## remove what was made here
	rm -rf $(VENV) $(LITELLM) $(TRAINERS) out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
