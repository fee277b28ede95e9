# Everything from nothing: each target first makes its own virtual environment from the lock files.
PYTHON ?= python3
VENV := .venv
DODAL := .venv-dodal
BIN := $(VENV)/bin
OUT ?= demo
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --progress-bar off --no-deps

.PHONY: demo test unit slow soak lint bench docs lock clean

demo: $(VENV)/run.stamp  ## A two-detector rotation from Channel Access to masters and pictures, in OUT.
	$(BIN)/softbeam demo --out $(OUT)

test: $(VENV)/dev.stamp  ## All tests but those that take minutes each.
	$(BIN)/pytest -m "not slow"

unit: $(VENV)/dev.stamp  ## Tests of pure logic, under 30 s.
	$(BIN)/pytest -m "not system and not conformance"

slow: $(VENV)/dev.stamp $(DODAL)/stamp  ## Tests that take minutes: DIALS, Diamond's Eiger class.
	$(BIN)/pytest -m slow

soak: $(VENV)/dev.stamp  ## Hours: 200 kills at random moments, 1000 acquisitions, 100 000 frames.
	SOFTBEAM_SEEDS=200 SOFTBEAM_ACQUISITIONS=1000 SOFTBEAM_FRAMES=100000 $(BIN)/pytest -m slow tests/soak

lint: $(VENV)/dev.stamp  ## ruff, pyright, import-linter.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/pyright

bench: $(VENV)/dev.stamp  ## How fast it is here.
	$(BIN)/softbeam bench

docs: $(VENV)/run.stamp  ## Write the generated pages again: PVs, commands, beamline schema.
	$(BIN)/python -m softbeam.reference docs/reference

lock:  ## Choose the versions again; needs uv.
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header pyproject.toml --extra plot --group build -o lock/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header pyproject.toml --extra plot --group build --group dev --group oracles -c lock/run.txt -o lock/dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header lock/dodal.in -o lock/dodal.txt

clean:
	rm -rf $(VENV) $(DODAL) demo .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@echo "== making $(VENV)"
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: lock/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "== installing softbeam"
	$(PIP) -r lock/run.txt
	$(PIP) --no-build-isolation -e .
	touch $@

$(VENV)/dev.stamp: lock/dev.txt $(VENV)/run.stamp
	@echo "== installing what the tests need"
	$(PIP) -r lock/dev.txt
	touch $@

$(DODAL)/stamp: lock/dodal.txt
	@echo "== installing Diamond's device classes, for one test"
	$(PYTHON) -m venv $(DODAL)
	$(DODAL)/bin/python -m pip --disable-pip-version-check install --quiet --progress-bar off --no-deps -r lock/dodal.txt
	touch $@
