# The commands of the project, sessions of noxfile.py. Each runs in a pinned environment that is made under .build/ when it is
# first needed; all they ask for is a Python 3.11 or newer with venv.

PYTHON ?= python3
ARGS ?=

# ansible-core of `make test`
CORE ?= 2.19
# files of tests that run at once; most of the time they wait for the engine or for a tool
JOBS ?= 4
export CORE JOBS

RUN := @$(PYTHON) tests/tooling/bootstrap.py -s

.DEFAULT_GOAL := help
.PHONY: help demo test test-quick lint format soak bench engine docs release clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## An incident from the first look to all clear, on the local Workflows engine
	$(RUN) demo -- $(ARGS)

test: ## Every check; CORE="2.16 2.17 2.18 2.19 2.20 2.21 newest" (any of them), PY=3.13, ARGS="-k sanity"
	$(RUN) test -- $(ARGS)

test-quick: ## The unit tests straight from the checkout, in seconds
	$(RUN) test-quick -- $(ARGS)

lint: ## Python and JavaScript: layout, lint and types
	$(RUN) lint

format: ## Lay Python and JavaScript out
	$(RUN) format

bench: ## Calls and times against what else can do the job
	$(RUN) bench -- $(ARGS)

soak: ## Random tasks and events against a model; SECONDS=600 SEED=1 LENGTH=40 ARGS=--shrink
	$(RUN) soak -- --seconds $(or $(SECONDS),600) --length $(or $(LENGTH),40) $(if $(SEED),--seed $(SEED)) $(ARGS)

engine: ## The local Workflows engine in the foreground; it prints its addresses and credentials
	$(RUN) engine -- $(ARGS)

docs: ## The documentation as HTML in .build/docs; warnings are errors
	$(RUN) docs

release: ## The changelog of the version in galaxy.yml, from its fragments
	$(RUN) release -- $(ARGS)

clean: ## Remove everything that was made, environments included
	rm -rf .build tests/output
