# dbfleet.cluster. `make help` lists the targets. Everything is installed into .venv of this checkout, nothing elsewhere.

CURRENT := $(shell pwd)
VENV := .venv
BIN := $(VENV)/bin
CORE ?= 2.16
CLOCK ?= seconds:1
PRODUCT ?= exasol confd nuodb
TOPOLOGY ?= docs/examples/topology.yml

export PATH := $(CURRENT)/$(BIN):$(PATH)
export PYTHONPATH := $(CURRENT)/$(VENV)/collections
export ANSIBLE_COLLECTIONS_PATH := $(CURRENT)/$(VENV)/collections
export ANSIBLE_HOME := $(CURRENT)/$(VENV)/ansible
export ANSIBLE_CONFIG := $(CURRENT)/$(VENV)/ansible/ansible.cfg
export ANSIBLE_REMOTE_TEMP := $(CURRENT)/$(VENV)/ansible/tmp
export ANSIBLE_ASYNC_DIR := $(CURRENT)/$(VENV)/ansible/async
export ANSIBLE_LOCALHOST_WARNING := 0
export ANSIBLE_INVENTORY_UNPARSED_WARNING := 0
export PIP_CACHE_DIR := $(CURRENT)/$(VENV)/cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURRENT)/$(VENV)/cache/hypothesis
# Each program of ours is started thousands of times, so Python keeps what it has compiled, whatever a shell or an image says.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURRENT)/$(VENV)/cache/bytecode
export PYTHON
export PYTHONS PARTS DRAFT WITHOUT_ADDRESS SCENARIOS

PYTEST := $(BIN)/python -m pytest -q
# Tests that run at a time where they wait most of the time, be it for simulated clusters or for a time-out.
export WORKERS ?= 6

.DEFAULT_GOAL := help
.PHONY: help demo test setup style unit reliability crashpoints nights storm hostile conformance integration lints lint docs docs-lint awx-lint answers-table \
	awx-surveys jobs-table messages-table runbook-docs pictures demo-picture shared-docs changelog changelog-lint reuse-lint sanity molecule devices awx events bastion bench simulator matrix build importer release clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.demo ## watch a simulated Exasol cluster and a NuoDB domain come up from cold and go down again
	@ANSIBLE_STDOUT_CALLBACK=$${ANSIBLE_STDOUT_CALLBACK:-dbfleet.cluster.compact} $(BIN)/ansible-playbook dbfleet.cluster.demo $(ARGS)

# One after another, whatever -j says: the gates would take the cores from the integration tests' clocks. The last ones
# look at files alone, so they may run side by side.
test: setup ## every gate, cheapest first; stops at the first that fails
	@$(MAKE) --no-print-directory -j1 style
	@$(MAKE) --no-print-directory -j1 unit ARGS="-n 2"
	@$(MAKE) --no-print-directory -j1 reliability ARGS="-n 2"
	@$(MAKE) --no-print-directory -j1 hostile ARGS="-n $(WORKERS)"
	@$(MAKE) --no-print-directory -j1 conformance ARGS="-n $(WORKERS)"
	@$(MAKE) --no-print-directory -j1 integration
	@$(MAKE) --no-print-directory -j1 bastion ARGS="-m 'not long'"
	@$(MAKE) --no-print-directory -j2 lints sanity
	@echo "make test: every gate passed"

setup: $(VENV)/.tests ## install what the gates need into .venv

style: $(VENV)/.tests ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy -p ansible_collections.dbfleet.cluster.plugins

unit: $(VENV)/.tests ## unit tests (ARGS="-k name" picks some)
	$(PYTEST) tests/unit $(ARGS)

# A seed and a revision are the same night again, so sets have one order too.
reliability storm: export PYTHONHASHSEED := 0
reliability: $(VENV)/.tests ## virtual nights: some crash points of every runbook, and a little storm
	$(PYTEST) tests/reliability $(ARGS)

crashpoints: $(VENV)/.tests ## every crash point of every runbook and module, about 3 minutes; prints a table
	DBFLEET_CRASHPOINTS=all $(PYTEST) -n 2 tests/reliability/test_crashpoints.py $(ARGS)

nights: $(VENV)/.tests ## long waits of every kind: servers that restart, clocks that jump, machines that sleep, about 10 minutes
	DBFLEET_NIGHTS=all $(PYTEST) -n 2 tests/reliability/test_long_nights.py $(ARGS)

NIGHTS ?= 450
SEED ?=
PLAYBOOKS ?= $(if $(SEED),0,22)
storm: export DBFLEET_STORM := $(NIGHTS)
storm: export DBFLEET_STORM_SEED := $(SEED)
storm: export DBFLEET_STORM_PLAYBOOKS := $(PLAYBOOKS)
storm: $(VENV)/.tests ## a storm of bad answers, misfortunes and kills; prints a table (NIGHTS=450 SEED=1 PLAYBOOKS=22)
	$(PYTEST) -s $(if $(filter-out 0,$(NIGHTS)),tests/reliability/test_storm.py) \
		$(if $(filter-out 0,$(PLAYBOOKS)),tests/reliability/test_storm_by_playbook.py) $(ARGS)

hostile: $(VENV)/.tests ## odd texts and odd answers of servers, in every call and in everything that is shown
	$(PYTEST) tests/hostile $(ARGS)

conformance: $(VENV)/.tests ## foreign clients against the simulator
	$(PYTEST) tests/conformance $(ARGS)

integration: $(VENV)/.tests ## the real ansible-playbook against the simulator
	$(PYTEST) -n $(WORKERS) --dist worksteal tests/integration $(ARGS)

lints: $(VENV)/.tests
	@$(MAKE) --no-print-directory -j1 lint docs-lint awx-lint changelog-lint reuse-lint

lint: $(VENV)/.tests ## ansible-lint, profile production
	$(BIN)/ansible-lint --offline --strict --profile production
	$(BIN)/ansible-lint --offline --strict --profile production extensions/awx/project/*.yml

docs-lint: $(VENV)/.tests ## antsibull-docs over the documentation of modules and roles
	HOME="$(CURRENT)/$(VENV)/ansible" $(BIN)/antsibull-docs lint-collection-docs --plugin-docs .

docs: $(VENV)/.demo ## a site of the documentation in dist/docs, by Sphinx in .venv-docs; a warning fails
	@tests/gates/docs.sh

awx-lint: $(VENV)/.tests ## the definitions for AWX against what playbooks, roles and modules take
	$(BIN)/python tests/gates/awx_lint.py

awx-surveys: $(VENV)/.tests ## write the surveys for AWX anew, from the roles' argument specs
	$(BIN)/python tests/gates/awx_surveys.py

jobs-table: $(VENV)/.tests ## write docs/jobs.md anew: which module runs which ConfD job
	$(BIN)/python tests/gates/jobs_table.py

runbook-docs: $(VENV)/.tests ## write what the documentation says of phases and hooks, from the runbooks' definitions
	$(BIN)/python tests/gates/runbook_docs.py

pictures: $(VENV)/.tests ## draw the diagrams of the documentation anew, from the runbooks' definitions
	$(BIN)/python tests/gates/pictures.py

demo-picture: $(VENV)/.tests ## run the demo and draw parts of it anew, as pictures of a terminal
	$(BIN)/python tests/gates/demo_picture.py

answers-table: $(VENV)/.tests ## write docs/sources/answers.md anew: the servers' answers that tests read
	$(BIN)/python tests/gates/answers_table.py

messages-table: $(VENV)/.tests ## write docs/messages.md anew: the numbers of all failures, what they mean and what to do
	$(BIN)/python tests/gates/messages_table.py

shared-docs: $(VENV)/.tests ## write the texts that modules share into each of them
	$(BIN)/python tests/gates/shared_docs.py

changelog-lint: $(VENV)/.tests ## antsibull-changelog over changelogs/
	$(BIN)/antsibull-changelog lint
	$(BIN)/antsibull-changelog lint-changelog-yaml --no-semantic-versioning changelogs/changelog.yaml

changelog: $(VENV)/.tests ## the fragments become the changelog of a version, which galaxy.yml gets (VERSION=1.0.0)
	@tests/gates/changelog.sh $(VENV) "$(VERSION)"

reuse-lint: $(VENV)/.tests ## REUSE: each file has an owner and a license
	$(BIN)/reuse lint --lines

sanity: $(VENV)/.tests ## ansible-test sanity, no ignore entries (ARGS="--test import" picks one)
	@tests/gates/sanity.sh $(VENV) $(ARGS)

molecule: $(VENV)/.tests ## a scenario per role, on a simulator that all share (ARGS="-s status" picks one)
	$(BIN)/molecule test $(or $(ARGS),--all --workers 2)

devices: ## the runbooks with power controllers: sushy-tools (Redfish) and ipmi_sim (IPMI), in .venv-devices
	@tests/gates/devices.sh $(ARGS)

awx: $(VENV)/.tests ## apply the definitions for AWX by awx.awx to an imitation of its API; downloads 54 MB once
	@tests/gates/awx_collection.sh $(VENV)/awx
	ANSIBLE_COLLECTIONS_PATH="$(ANSIBLE_COLLECTIONS_PATH):$(CURRENT)/$(VENV)/awx" $(PYTEST) tests/awx $(ARGS)

bench: $(VENV)/.tests ## the benchmarks, about 30 minutes; fails where a limit is broken (PRODUCT=controller ARGS="task")
	status=0; for product in $(PRODUCT); do $(BIN)/python tests/benchmarks/bench_$$product.py $(ARGS) || status=1; done; exit $$status

events: ## ansible-rulebook recovers simulated domains, about 4 minutes; installs it, and Java where it may
	@tests/gates/events.sh $(ARGS)

bastion: $(VENV)/.tests ## modules and runbooks over an sshd of its own on loopback; installs it where it may
	@tests/gates/bastion.sh $(ARGS)

simulator: $(VENV)/.demo ## start a simulated cluster and stay in front (TOPOLOGY=file CLOCK=seconds:0.1)
	@$(BIN)/python -m ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator \
		--topology "$(TOPOLOGY)" --clock "$(CLOCK)" $(ARGS)

matrix: ## sanity and unit tests under other ansible-cores and Pythons (CORE=2.16, or all; PARTS=integration)
	@tests/gates/matrix.sh "$(CORE)" $(ARGS)

build: $(VENV)/.demo ## the tarball for Galaxy, in dist/
	$(BIN)/ansible-galaxy collection build --force --output-path dist .

importer: build ## galaxy-importer over the tarball, about a minute
	@tests/gates/importer.sh "dist/dbfleet-cluster-$$(sed -n 's/^version: //p' galaxy.yml).tar.gz"

release: $(VENV)/.tests ## tarball, bill of materials and checksums, tried as installed (DRAFT=1, WITHOUT_ADDRESS=1, SCENARIOS=all)
	@tests/gates/release.sh $(VENV)

clean: ## remove what the gates left behind; .venv stays
	rm -rf .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache dist tests/output $(VENV)/sanity
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv as well
	rm -rf .venv .venv-*

# Stamps: a second run finds everything in place and asks the index nothing.
$(VENV)/.python: tests/gates/venv.sh tests/gates/python.sh
	@tests/gates/venv.sh $(VENV) 11 14
	@touch $@

$(VENV)/.demo: $(VENV)/.python requirements.txt requirements-simulator.txt tests/requirements-core.txt
	@echo "installing what the collection needs into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet -r requirements-simulator.txt -r tests/requirements-core.txt
	@touch $@

$(VENV)/.tests: $(VENV)/.python requirements.txt requirements-simulator.txt tests/requirements.txt tests/requirements-core.txt \
		tests/requirements-pytest.txt
	@echo "installing what the gates need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet -r tests/requirements.txt
	@touch $@ $(VENV)/.demo
