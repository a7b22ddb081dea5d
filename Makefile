# `make demo` and `make test` set up everything in .venv; only Python, pip and make are needed.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint coverage format audit dist screenshots clean

demo: $(READY)
	$(BIN)/tasksieve demo --out tasksieve-demo

test: lint coverage

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

coverage: $(READY)
	rm -f .coverage .coverage.*
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --cov --cov-report=term

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

clean:
	rm -rf .venv build dist tasksieve-demo .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
