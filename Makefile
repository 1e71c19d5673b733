# make bench   environment, install, then the default benchmark; ends by saying where the report is
# make test    environment, install, test suite
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
METHODS ?= stenvan,sta
DATASET ?= synthetic

.PHONY: bench test quick-test lint speed clean

bench: $(VENV)/installed
	$(BIN)/zoo bench --methods '$(METHODS)' --dataset '$(DATASET)'

test: $(VENV)/installed lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

quick-test: $(VENV)/installed
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# ratios in one run, each side on the same data; not part of the tests
speed: $(VENV)/installed
	for script in speed/*.py; do $(BIN)/python $$script || exit 1; done

$(VENV)/installed: setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	$(BIN)/python -c 'import torch, torchvision, timm'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
