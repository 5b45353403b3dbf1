# `make demo` and `make test` do everything on a machine with Python 3.11+, git and make.
PYTHON ?= python3
VENV   ?= .venv
# Where pip should look first for torch; empty: the index pip is set up with. For the small CPU wheel:
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# cpu, or gpu on a CUDA 12 machine (faiss-gpu; never both). Not given: what is installed already, else cpu.
EXTRA  ?= $(or $(patsubst $(VENV)/.installed-%,%,$(firstword $(wildcard $(VENV)/.installed-*))),cpu)
BIN    := $(VENV)/bin
# Two processes, a file at a time: on two cores the tests of Ray wait more than they work. Files come in the order of
# tests/conftest.py, longest first; by their number of tests, the longest would come last and leave one process idle.
TWO    := -n 2 --dist loadfile --no-loadscope-reorder
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# `make real`: a multilingual encoder (hub id or folder), and the folder of the data; by default both are fetched.
MODEL  ?= intfloat/multilingual-e5-small
DATA   ?=
REAL   := mnli qamr mrpc copa sib200 udpos masakhapos masakhaner2 uner tatoeba

.PHONY: demo real test test-long check install clean help
help:
	@echo "make demo       install, then search the embedded lab and print the best mix per language"
	@echo "make real       real languages: MODEL=FOLDER or hub id, DATA=FOLDER; an hour on two cores, goes on after Ctrl-C"
	@echo "make test       install, then all tests"
	@echo "make check      format, lint, types, floors, fast tests"
	@echo "make test-long  the heavier checks"

# A stamp for each extra, one at a time: both extras install the module faiss, and torch's CPU wheel would satisfy gpu's needs.
$(VENV)/.installed-$(EXTRA): pyproject.toml constraints.txt
	@echo "installing into $(VENV) with extra $(EXTRA) (a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip uninstall --quiet --yes $(if $(filter gpu,$(EXTRA)),faiss-cpu,faiss-gpu) 2>/dev/null
	@rm -f $(VENV)/.installed*
	@test $(EXTRA) != gpu || ! $(BIN)/python -c 'import importlib.metadata as m; assert m.version("torch").endswith("+cpu")' 2>/dev/null \
	  || $(BIN)/python -m pip uninstall --quiet --yes torch
	@$(if $(TORCH_INDEX),$(PIP) --index-url $(TORCH_INDEX) torch,true)
	@$(PIP) torch
	@$(PIP) -e '.[$(EXTRA),dev]'
	@touch $@

install: $(VENV)/.installed-$(EXTRA)

demo: install
	$(BIN)/tasksearch run --space joint_vs_seq --controls none --timings

real: install
	$(if $(DATA),,$(BIN)/tasksearch data get --suite lowres --data data $(foreach task,$(REAL),--task $(task)))
	$(BIN)/tasksearch run --config benchmarks/real.toml --model $(MODEL) --data $(or $(DATA),data) --timings

test: install
	$(BIN)/python -m pytest -m 'not long' $(TWO)

test-long: install
	$(BIN)/python -m pytest

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m 'not long' tests/core tests/tasks tests/metrics tests/training tests/packaging

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
