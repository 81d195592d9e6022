# All that a person or a machine does with this repository; .ci/run and pre-commit call these targets.
# Paths are relative, so that the repository may lie under a path with spaces.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-ui test-engines pictures soak check lint types docs docs-check test-lowest constraints

FITS := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
  "$$name" -c '$(FITS)' 2>/dev/null && echo "$$name" && break; done)
EXTRAS := opensearch,elasticsearch,aws,model,embedding,sentence-transformers,readers,ui,serve,local,train,dev
TESTS ?=
ENGINE ?=
SOAK ?=
REFERENCE := .venv/bin/python docs/write_cli.py

# The uv of this machine, or the one that `make` puts into .venv.
UV = "$$(command -v uv || echo .venv/bin/uv)"

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: .venv/.setup ## install everything that demo and tests need into .venv

demo: setup ## show what the model changes, on Python's own documentation (ENGINE=opensearch: on a real one)
	@.venv/bin/prorank models pull
	@$(if $(ENGINE),.venv/bin/prorank engine up $(ENGINE))
	@.venv/bin/prorank demo $(if $(ENGINE),--url http://127.0.0.1:9200)

test: setup .venv-bare/.setup ## fetch what the tests need, then run them offline (TESTS="tests/unit -k blend" for some)
	@.venv/bin/prorank models pull smollm2-135m
	@.venv/bin/python tests/golden/fetch_qwen_vocabulary.py
	@.venv/bin/python -m tests.engines.fetch
	@HF_HUB_OFFLINE=1 .venv/bin/python -m pytest $(TESTS)

test-ui: setup ## every page in every state, two windows, two themes; the pictures lie in build/ui afterwards
	@CI=true .venv/bin/python -m pytest tests/ui/long -m long $(TESTS)

test-engines: setup ## run the tests on real servers: OpenSearch 2 and 3 with plugins, Elasticsearch 8 and 9
	@.venv/bin/python -m tests.engines.fetch --all
	@PRORANK_REQUIRE_ENGINES=1 .venv/bin/python -m pytest tests/engines
	@PRORANK_REQUIRE_ENGINES=1 .venv/bin/python -m pytest tests/engines --opensearch-version 3.6.0 \
	  --elasticsearch-version 9.5.3

pictures: setup ## take the pictures of the docs anew: Python's own documentation, the shipped model
	@.venv/bin/prorank models pull smollm2-135m
	@.venv/bin/python -m tests.ui.take_pictures

soak: setup ## kill ingests and servers, spoil requests, print a table (SOAK="--kills 6 --spoiled 1 --server-kills 1")
	@.venv/bin/python -m tests.engines.fetch
	@.venv/bin/python -m tests.engines.soak $(SOAK)

check: lint types docs-check ## all that needs no test run: lint, types, docs

lint: setup ## ruff, its formatter, who may import whom, the files for Docker
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/lint-imports
	@.venv/bin/hadolint docker/prorank.Dockerfile
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker/compose.yaml

types: setup ## mypy, strict
	@.venv/bin/mypy

docs: setup ## write the command reference, docs/cli.md
	@$(REFERENCE) > docs/cli.md

docs-check: setup
	@$(REFERENCE) | diff -u docs/cli.md - || { echo 'docs/cli.md is not what the commands say now: make docs' >&2; exit 1; }

test-lowest: .venv-lowest/.setup ## run unit tests and contracts against the lowest versions that pyproject.toml allows
	@.venv-lowest/bin/prorank models pull smollm2-135m
	@HF_HUB_OFFLINE=1 .venv-lowest/bin/python -m pytest tests/unit tests/contracts

constraints: setup ## renew constraints.txt: today's versions of everything
	@$(UV) pip compile --quiet --universal --upgrade --python-version 3.11 --all-extras --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --output-file constraints.txt pyproject.toml

.venv/.setup: pyproject.toml constraints.txt
	@$(call new-environment,.venv)
	@$(UV) pip install --python .venv/bin/python --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

# The core without extras: tests/test_bare_install.py shows that it ingests and searches.
.venv-bare/.setup: pyproject.toml constraints.txt .venv/.setup
	@$(call new-environment,.venv-bare)
	@$(UV) pip install --python .venv-bare/bin/python --constraint constraints.txt --editable .
	@touch $@

.venv-lowest/.setup: pyproject.toml .venv/.setup
	@rm -rf .venv-lowest
	@$(call new-environment,.venv-lowest)
	@$(UV) pip install --python .venv-lowest/bin/python --resolution lowest-direct --editable '.[$(EXTRAS)]'
	@touch $@

# new-environment FOLDER: make a virtual environment unless there is one; uv comes by pip where it is missing.
define new-environment
if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c '$(FITS)'; then \
  echo 'Python 3.11 or later is needed; name one: make setup PYTHON=/path/to/python3' >&2; exit 2; \
fi; \
if [ ! -x $(1)/bin/python ]; then \
  if $(UV) --version >/dev/null 2>&1; then \
    $(UV) venv --seed --quiet --allow-existing --python "$$(command -v "$(PYTHON)")" $(1); \
  elif ! "$(PYTHON)" -m venv $(1); then \
    rm -rf $(1); \
    echo 'This Python cannot make environments. On Debian and Ubuntu: apt-get install python3-venv. Or install uv.' >&2; \
    exit 2; \
  fi; \
fi; \
$(UV) --version >/dev/null 2>&1 || .venv/bin/python -m pip install --quiet uv
endef
