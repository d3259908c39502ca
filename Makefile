# The commands of the project. Each runs in a pinned environment that tests/tooling/environments.py makes under .build/
# when it is first needed; all they ask for is a Python 3.11 or newer with venv.

PYTHON ?= python3
CORE ?= 2.19
ARGS ?=

# files of tests that run at once; most of the time they wait for the engine or for a tool
JOBS ?= 4
export CORE

# ansible-core of everything that is not about testing several
BASELINE := core-2.19

IN := $(PYTHON) tests/tooling/environments.py

.DEFAULT_GOAL := help
.PHONY: help demo test test-quick soak bench engine docs clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## An incident from the first look to all clear, on the local Workflows engine
	@$(IN) $(BASELINE) python tests/demo/run.py $(ARGS)

test: ## Every check; CORE="2.18 2.19 2.20 2.21 newest" (any of them), PY=3.13, ARGS="-k sanity"
	@$(IN) core-$(firstword $(filter-out newest,$(CORE)) 2.19) pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-quick: ## The unit tests straight from the checkout, in seconds
	@$(IN) $(BASELINE) env PYTHONPATH=.build/collections pytest tests/unit $(ARGS)

bench: ## Calls and times against what else can do the job
	@$(IN) $(BASELINE) python tests/benchmark/run.py $(ARGS)

soak: ## Random tasks and events against a model; SECONDS=600 SEED=1 LENGTH=40 ARGS=--shrink
	@$(IN) $(BASELINE) python tests/tooling/soak.py --seconds $(or $(SECONDS),600) --length $(or $(LENGTH),40) $(if $(SEED),--seed $(SEED)) $(ARGS)

engine: ## The local Workflows engine in the foreground; it prints its addresses and credentials
	@$(PYTHON) tests/engine/engine.py

docs: ## The documentation as HTML in .build/docs; warnings are errors
	@$(IN) tools python tests/tooling/docs.py

clean: ## Remove everything that was made, environments included
	rm -rf .build tests/output
