# make bench   environment, install, then the default benchmark; ends by saying where the report is
# make test    environment, install, test suite
# make docs    the documentation site, from sources and tutorials that it runs; no network but for the install
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
METHODS ?= stenvan,sta
DATASET ?= synthetic

# the five systems and a baseline, in one result folder that checkpoints and example are made from
SYSTEMS := resnet50_avg nvan stenvan sta nlam_nltp resnet3d50_nl
COMMA := ,
EMPTY :=
SIX := $(subst $(EMPTY) ,$(COMMA),$(SYSTEMS))

.PHONY: bench test quick-test lint docs speed start systems checkpoints example clean

bench: $(VENV)/installed
	$(BIN)/zoo bench --methods '$(METHODS)' --dataset '$(DATASET)'

test: $(VENV)/installed lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

quick-test: $(VENV)/installed
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# warnings are errors, and every link inside the site is followed
docs: $(VENV)/docs-installed
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	$(BIN)/python docs/generate/links.py docs/_build/html
	@echo 'site: docs/_build/html/index.html'

# what the recipe quick starts from, again; its hash then goes into zoo/initial_weights.py
start: $(VENV)/installed
	$(BIN)/zoo train --methods resnet50_avg --dataset 'synthetic[seed=1]' --recipe quick --set init=none \
	  --set lr=2e-3 --set warmup=2 --set triplet=soft --set epochs=12 --out results/start
	$(BIN)/python -m zoo.initial_weights results/start/runs/*/weights.safetensors

systems: $(VENV)/installed
	$(BIN)/zoo bench --methods $(SIX) --dataset synthetic --recipe quick --out results/systems

# the packaged checkpoints again: zoo/checkpoints/weights and the rows of zoo/checkpoints/checkpoints.toml
checkpoints: systems
	for name in $(SYSTEMS); do $(BIN)/zoo publish results/systems $$name.synthetic --into zoo/checkpoints/weights || exit 1; done

# docs/example again: report, figures, page, and pictures of what each system looked at
example: systems
	for run in results/systems/runs/*; do $(BIN)/zoo inspect $$run --query 793 || exit 1; done
	$(BIN)/zoo report results/systems -o docs/example --format md,html

# ratios in one run, each side on the same data; not part of the tests
speed: $(VENV)/installed
	for side in clips packed attention ranking rerank training engine; do $(BIN)/python speed/$$side.py || exit 1; done

$(VENV)/installed: setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	$(BIN)/python -c 'import torch, torchvision, timm'
	touch $@

$(VENV)/docs-installed: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info docs/_build docs/_generated
