# The targets of the project. `make` lists them; README.md describes the first ones to use.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_VAULT_PASSWORD_FILE ?= $(CURDIR)/.lab/vault-password
export LAB_NAME ?= demo
export LAB_PREFIX ?= 10.77.10
LAB_INVENTORY := .lab/inventories/$(LAB_NAME)

.PHONY: help
help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.PHONY: setup
setup: .venv/.locked ## Create the virtual environment with the controller's Python packages
	@lab/state

.PHONY: engine
engine: ## Install the packages of the lab and of the tests, and start a Docker engine
	@lab/bootstrap

.venv/.locked: requirements/dev.txt raycrafter/requirements.txt | .venv/bin/uv
# Bytecode, because Ansible starts a process for every task: it shortened an unchanged deployment of the lab from 214 to 195 s.
	@lab/stage "Python packages as locked" .venv/bin/uv pip sync -q --compile-bytecode --python .venv/bin/python requirements/dev.txt
	@.venv/bin/uv pip install -q --python .venv/bin/python --no-deps -e raycrafter_cli
	@touch $@

.venv/bin/uv:
	@python3 -c 'import ensurepip' || { echo "python3 has no venv: install it (apt-get install python3-venv), or run make engine" >&2; exit 1; }
	@lab/stage "Virtual environment" python3 -m venv --clear .venv
	@.venv/bin/pip install -q --disable-pip-version-check uv

.PHONY: lock
lock: .venv/bin/uv ## Upgrade and lock the versions of all Python packages
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade \
		raycrafter/pyproject.toml -o raycrafter/requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade \
		requirements/dev.in -o requirements/dev.txt

.PHONY: lab
lab: engine setup ## Start the lab's hosts and create their secrets
	@lab/up
	@lab/stage "Inventory of the lab, a copy of inventories/example" python3 -m lab.copy_inventory example
	@lab/stage "Secrets of the lab" ansible-playbook -i $(LAB_INVENTORY) playbooks/secrets.yml

.PHONY: demo
demo: lab ## Deploy the whole service on the lab and render an animation
	@lab/stage "Deployment" ansible-playbook -i $(LAB_INVENTORY) site.yml
	@lab/demo/run

.PHONY: demo-clean
demo-clean: ## Remove the lab's hosts, networks, volumes, secrets and results; `lab/down --all` also removes the caches
	@lab/down
	@rm -rf .lab .cache demo-output

.PHONY: lint
lint: setup ## Run the linters and check the generated files
	@lab/stage "yamllint" yamllint --strict .
	@lab/stage "ruff" ruff check .
	@lab/stage "ruff format" ruff format --check .
	@lab/stage "Imports go one way" env PYTHONPATH=raycrafter/src lint-imports --cache-dir .cache/import_linter
	@lab/stage "shellcheck" tests/shellcheck
	@lab/stage "ansible-lint" ansible-lint
	@lab/stage "The roles' READMEs match their specs" python3 tools/role_readmes.py --check
	@lab/stage "docs/network.md matches the table of flows" python3 tools/network_page.py --check
	@lab/stage "docs/batch-scripts.md matches the golden scripts" python3 tools/batch_scripts_page.py --check
	@lab/stage "The dashboards' packs match their description" python3 tools/dashboards.py --check
	@lab/stage "ansible-test's checks of the modules" tests/sanity

.PHONY: docs
docs: setup ## Generate pages and packs from specs and tables
	@python3 tools/role_readmes.py
	@python3 tools/network_page.py
	@python3 tools/batch_scripts_page.py
	@python3 tools/dashboards.py

.PHONY: unit
unit: setup ## Run the tests that need no hosts
	@pytest --numprocesses auto --junitxml=.cache/junit-unit.xml

.PHONY: molecule
molecule: ## Run the molecule scenarios of roles and service; SCENARIOS="nginx django" selects some
	@tests/run molecule

.PHONY: test-all
test-all: ## Run all tests, for hours; PART="units drill" selects parts, whose results are kept over several runs
	@tests/all $(PART)

.PHONY: test
test: ## Run lint, unit tests and molecule, as .ci/run does, and print a summary
	@tests/run
