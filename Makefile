# Two commands do everything: `make run` (sample issue in, described pictures out) and `make test`.
# A third keeps it running: `make serve` (scans in the inbox are done by themselves).

PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
ARCHIVE ?= archive
INBOX   ?= inbox
SAMPLE  := sample_pages/muestra_social1916_9_v1_n9.pdf
ISSUE   := social-1916-09-v1-n9

.PHONY: run serve stop test test-slow lint format bench sample screenshots lock clean setup

run: setup
	$(BIN)/revista run $(SAMPLE) --archive $(ARCHIVE)
	$(BIN)/revista report $(ISSUE) --archive $(ARCHIVE)

serve: setup  ## server, UI, worker and schedules, until Ctrl-C (docs/operations.md)
	$(BIN)/python -m flows.serve --archive $(ARCHIVE) --inbox $(INBOX)

stop: setup
	$(BIN)/python -m flows.serve --stop

test: setup $(VENV)/installed-for-tests lint
	$(BIN)/python -m pytest -m "not slow" -n auto --dist loadfile

test-slow: setup $(VENV)/installed-for-tests  ## what takes minutes: every broken PDF, long kill runs
	$(BIN)/python -m pytest -m slow

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

sample: setup  ## draw the sample issue again
	$(BIN)/python sample_pages/make.py

screenshots: setup $(VENV)/installed-for-tests  ## take those of docs/operations.md again
	$(BIN)/python -m scripts.screenshots

setup: $(VENV)/installed

# Installed from the committed constraints, so that every machine has the same versions.
$(VENV)/installed: pyproject.toml constraints.txt debian-packages.txt scripts/install-debian-packages.sh
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "revista needs Python 3.11 or newer; name one with: make PYTHON=python3.11"; exit 1; }
	scripts/install-debian-packages.sh debian-packages.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

$(VENV)/installed-for-tests: $(VENV)/installed debian-packages-test.txt
	scripts/install-debian-packages.sh debian-packages-test.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[dev,evaluation]"
	touch $@

lock:  ## write constraints.txt anew from the ranges in pyproject.toml
	scripts/lock.sh $(PYTHON)

clean:
	rm -rf $(VENV) $(ARCHIVE) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
