# Everything here sets itself up: a virtual environment in .venv, and system packages where they may be installed.
PYTHON ?= python3
TORCH ?= torch==2.13.0
TORCH_INDEX ?=
BIN := .venv/bin
JOBS ?= 2

.PHONY: demo test test-all check format clean

demo: .venv/ready
	$(BIN)/etude demo

test: .venv/ready .venv/browser
	$(BIN)/pytest -n $(JOBS)

test-all: .venv/ready .venv/browser check
	$(BIN)/pytest -n $(JOBS) -m "slow or not slow"

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python scripts/size_budget.py

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/ready: pyproject.toml scripts/system_packages.sh
	sh scripts/system_packages.sh
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Etude needs Python 3.11 or newer; choose one with: make PYTHON=python3.12')"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$(TORCH)"
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[dev]"
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps "gym-pusht>=0.1.6"
	touch .venv/ready

.venv/browser: .venv/ready scripts/browser.sh
	sh scripts/browser.sh
	touch .venv/browser

clean:
	rm -rf .venv outputs .pytest_cache .ruff_cache .hypothesis .import_linter_cache
