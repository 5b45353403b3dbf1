# `make demo` and `make test` do everything on a machine with Python 3.11+, git and make.
PYTHON ?= python3
VENV   ?= .venv
# Where pip should look first for torch; empty: the index pip is set up with. For the small CPU wheel:
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# cpu, or gpu on a CUDA 12 machine (faiss-gpu; never both).
EXTRA  ?= cpu
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test test-long check install clean help
help:
	@echo "make demo       install, then search the embedded lab and print the best mix per language"
	@echo "make test       install, then all tests"
	@echo "make check      format, lint, types, floors, fast tests"
	@echo "make test-long  the heavier checks"

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "installing into $(VENV) (a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(if $(TORCH_INDEX),$(PIP) --index-url $(TORCH_INDEX) torch,true)
	@$(PIP) torch
	@$(PIP) -e '.[$(EXTRA),dev]'
	@touch $@

install: $(VENV)/.installed

demo: install
	$(BIN)/tasksearch run --space joint_vs_seq --controls none --timings

test: install
	$(BIN)/python -m pytest -m 'not long'

test-long: install
	$(BIN)/python -m pytest

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m 'not long' tests/core tests/tasks tests/metrics tests/training

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
