# sertut: `make book` and `make test` are all a fresh machine needs (Python 3.11 to 3.13, git, make).

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2
PORT ?= 8000
# `make book TORCH_BACKEND=cpu`: PyTorch without CUDA, 1 GB instead of 5, from PyTorch's own index (uv's --torch-backend).
TORCH_BACKEND ?=
WANTED := -c constraints.txt -e '.[book,dev,cluster]'
# `make test EXTRAS=grading,tables`: with the tests that need these extras of pyproject.toml; else they are skipped.
EXTRAS ?=
UV = $$(uv --version >/dev/null 2>&1 && echo uv || echo $(BIN)/uv) pip install --python $(BIN)/python \
	$(if $(TORCH_BACKEND),--torch-backend $(TORCH_BACKEND))
# The first interpreter that starts and is new enough; choose another with `make PYTHON=/path/to/python3.12 book`.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup book test serve lint format doctor study wheel clean distclean

help:  ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(STAMP)  ## create the environment in .venv from constraints.txt

# By uv, which is fast: the one on the PATH, else one from PyPI; by pip where neither can be had.
$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 found; install one or pass PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python || uv venv --quiet --seed --python $(PYTHON) $(VENV) 2>/dev/null || $(PYTHON) -m venv $(VENV)
	@uv --version >/dev/null 2>&1 || $(BIN)/uv --version >/dev/null 2>&1 || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check uv 2>/dev/null; \
	$(UV) $(WANTED) || { \
		test -z "$(TORCH_BACKEND)" || { echo "PyTorch's own index is not reached from here, or uv is not to be had;" \
			"leave TORCH_BACKEND out to take PyTorch from PyPI (5 GB)." >&2; exit 1; }; \
		echo "uv is not to be had, or failed; pip installs the same versions, which takes longer." >&2; \
		$(BIN)/python -m pip install --disable-pip-version-check $(WANTED); }
	@touch $@

book: setup  ## run every chapter, build the HTML book, say where it is
	@$(BIN)/sertut book --workers $(JOBS)

# First the chapters, on all cores; then the tests find them done, and no worker waits for another. A file stays on one worker, since its tests
# share what takes long to make (groups of tests do not: pytest-xdist 3.8 cannot name them to pytest 9).
test: setup  ## run all tests, the chapters' and the book's included
	@test -z "$(EXTRAS)" || $(UV) --quiet -c constraints.txt -e '.[$(EXTRAS)]' || \
		echo "[$(EXTRAS)] cannot be installed here; the tests that need them are skipped and say so" >&2
	@$(BIN)/python -W ignore -c "import sertut; [sertut.load(name) for name in ('planted', 'planted-blend', 'planted-decoy')]"
	@$(BIN)/sertut run --workers $(JOBS) || echo "the tests will say more" >&2
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(PYTEST)

serve: book  ## show the book at http://localhost:8000 (PORT=... for another)
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

lint: setup  ## check style, format (notebooks included) and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup  ## put style and format right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

doctor: setup  ## what is installed, which device, which corpora were found, what is missing
	@$(BIN)/sertut doctor

study: setup  ## renew the reference results of one protocol: make study NAME=...
	@test -n "$(NAME)" || { $(BIN)/sertut study --help; exit 2; }
	$(BIN)/sertut study run $(NAME) --workers $(JOBS)
	$(BIN)/sertut study report $(NAME)

wheel: setup  ## build the wheel into dist/
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

clean:  ## remove what was built; corpora, features and the environment stay
	rm -rf _build build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache

distclean: clean  ## also remove the environment; corpora and features stay
	rm -rf $(VENV)
