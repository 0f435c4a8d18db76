# The verbs of the project. `make` lists them; README.md tells which to begin with.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_VAULT_PASSWORD_FILE ?= $(CURDIR)/.lab/vault-password
export LAB_NAME ?= demo
export LAB_PREFIX ?= 10.77.10
export ANSIBLE_CACHE_PLUGIN_CONNECTION := $(CURDIR)/.cache/facts-$(LAB_NAME)

.PHONY: help
help: ## List these verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.PHONY: setup
setup: .venv/.locked ## Install what the controller needs: packages, a Docker engine, the virtual environment
	@lab/bootstrap
	@lab/state

.venv/.locked: requirements/dev.txt raycrafter/requirements.txt | .venv/bin/uv
# Compiled, because Ansible starts a process for every task: an unchanged deployment of the lab went from 214 to 195 s.
	@lab/stage "Python packages as locked" .venv/bin/uv pip sync -q --compile-bytecode --python .venv/bin/python requirements/dev.txt
	@.venv/bin/uv pip install -q --python .venv/bin/python --no-deps -e raycrafter_cli
	@touch $@

.venv/bin/uv:
	@lab/bootstrap
	@lab/stage "Virtual environment" python3 -m venv --clear .venv
	@.venv/bin/pip install -q --disable-pip-version-check uv

.PHONY: lock
lock: .venv/bin/uv ## Lock the versions of all Python packages anew
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade \
		raycrafter/pyproject.toml -o raycrafter/requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade \
		requirements/dev.in -o requirements/dev.txt

.PHONY: lab
lab: setup ## Bring up the lab's hosts and their secrets
	@lab/up
	@lab/stage "Secrets of the lab" ansible-playbook -i inventories/lab playbooks/secrets.yml

.PHONY: demo
demo: lab ## Deploy the whole service on the lab and render an animation with it
	@lab/stage "Deployment" ansible-playbook -i inventories/lab site.yml
	@lab/demo/run

.PHONY: demo-clean
demo-clean: ## Remove the lab's hosts, networks, volumes, secrets and results; the caches stay (lab/down --all removes those)
	@lab/down
	@rm -rf .lab .cache demo-output inventories/lab/group_vars/all/vault.yml

.PHONY: lint
lint: setup ## Check the form of everything
	@lab/stage "yamllint" yamllint --strict .
	@lab/stage "ruff" ruff check .
	@lab/stage "ruff format" ruff format --check .
	@lab/stage "Imports go one way" env PYTHONPATH=raycrafter/src lint-imports --cache-dir .cache/import_linter
	@lab/stage "shellcheck" tests/shellcheck
	@lab/stage "ansible-lint" ansible-lint
	@lab/stage "The roles' pages say what their specs say" python3 tools/role_readmes.py --check
	@lab/stage "docs/network.md says what the table says" python3 tools/network_page.py --check
	@lab/stage "docs/batch-scripts.md shows the golden scripts" python3 tools/batch_scripts_page.py --check
	@lab/stage "The dashboards' packs say what their description says" python3 tools/dashboards.py --check
	@lab/stage "Ansible's own checks of the modules" tests/sanity

.PHONY: docs
docs: setup ## Write the pages that are made from specs and tables
	@python3 tools/role_readmes.py
	@python3 tools/network_page.py
	@python3 tools/batch_scripts_page.py
	@python3 tools/dashboards.py

.PHONY: unit
unit: setup ## Run the tests that need no host
	@pytest --numprocesses auto --junitxml=.cache/junit-unit.xml

.PHONY: molecule
molecule: ## Run the molecule scenarios: every role alone, and the whole service; SCENARIOS="nginx django" chooses some
	@tests/run molecule

.PHONY: test-all
test-all: ## Run everything, hours of it; PART="units drill" chooses parts, whose verdicts are summed over several runs
	@tests/all $(PART)

.PHONY: test
test: ## Everything that .ci/run runs: lint, unit tests, molecule; ends with a summary
	@tests/run
