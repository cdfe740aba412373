# The commands are `make run`, `make demo`, `make test` and `make faults`; they need Python 3.11 or later and nothing else.
SHELL = /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

HOST ?= 127.0.0.1
PORT ?= 8000
PYTHON ?=
ONLY ?=
ARGS ?=
MINUTES ?= 5
SEED ?=
UV ?= uv

export PYTHON
LOCK = $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: help run demo test faults prometheus lint format lock bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: ## start the service (HOST=127.0.0.1 PORT=8000 PYTHON=python3.11)
	@sh .ci/venv.sh run && exec .venv/bin/python manage.py up --host '$(HOST)' --port '$(PORT)'

demo: ## fill the development database with some hundred sandbox calls (ARGS="--calls 100 --seed 2")
	@sh .ci/venv.sh run && exec .venv/bin/python manage.py demo $(ARGS)

test: ## lint, then all tests on SQLite and PostgreSQL (ONLY=sqlite,lint ARGS="-k resolve")
	@sh .ci/venv.sh dev && exec .venv/bin/python tests/run.py $(if $(ONLY),--only '$(ONLY)') -- $(ARGS)

faults: ## storms of faults on both databases, all cuts of all streams, fuzzing, random chains, edits (MINUTES=5 SEED=1 ONLY=storms)
	@sh .ci/venv.sh dev && exec .venv/bin/python -m tests.faults.run --minutes '$(MINUTES)' $(if $(SEED),--seed '$(SEED)') $(if $(ONLY),--only '$(ONLY)')

prometheus: ## a real Prometheus scrapes two workers, and runs every query of the dashboards (installs it)
	@sh .ci/venv.sh dev && exec .venv/bin/python tests/run.py --only prometheus

lint: ## ruff and mypy alone
	@sh .ci/venv.sh dev && exec .venv/bin/python tests/run.py --only lint

format: ## lay the code out, and mend what ruff can mend
	@sh .ci/venv.sh dev && .venv/bin/python -m ruff format . && exec .venv/bin/python -m ruff check --fix .

lock: ## pin what pyproject.toml asks for (needs uv: UV=/path/to/uv; ARGS=--upgrade takes newer ones)
	$(LOCK) $(ARGS) --extra server -o requirements.txt pyproject.toml
	$(LOCK) $(ARGS) --extra server --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml

bench: ## ratios against the bare upstream and the naive way (ARGS="--rounds 5")
	@sh .ci/venv.sh run && exec .venv/bin/python -m benchmarks.run $(ARGS)

clean: ## remove .venv and caches; var, with its database, stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
