# Everything below sets up what it needs, in .venv and build/. `make help` lists the commands.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo gameday up down docs maintain plan apply destroy bootstrap status history test test-fast torture bench chromium checkov java spark tf-check tf-docs lint format package lock clean backfill quarantine replay

PYTHON311 := $(firstword $(wildcard .venv/bin/python) $(shell command -v python3.11 2>/dev/null))
PY := .venv/bin/python
STAMP := .venv/.installed
SETUP_SECONDS := build/setup-seconds
CHECKOV := build/checkov/.installed
SPARK := build/spark/.installed

help: ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The stamp is written last, so an interrupted installation is made again. Compiled at once: without .pyc files
# the import of Great Expectations alone takes twice as long, in every job.
$(STAMP): requirements/uv.txt requirements/dev.txt
	@$(if $(PYTHON311),,echo "Python 3.11 is needed and there is no python3.11 on the PATH." >&2; exit 1)
	@set -euo pipefail; start=$$SECONDS; \
	echo "Setting up the environment in .venv (once) ..."; \
	mkdir -p build; \
	$(PYTHON311) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 is needed; $(PYTHON311) is another version." >&2; exit 1; }; \
	test -x $(PY) || $(PYTHON311) -m venv .venv; \
	$(PY) -m ensurepip >/dev/null; \
	$(PY) -m pip install --quiet --require-hashes --requirement requirements/uv.txt; \
	.venv/bin/uv pip sync --quiet --python $(PY) --require-hashes --compile-bytecode requirements/dev.txt; \
	touch $@; \
	echo $$((SECONDS - start)) > $(SETUP_SECONDS); \
	echo "Environment ready after $$((SECONDS - start)) s."

demo: $(STAMP) ## The whole thing on this machine; KEEP=1 leaves the offline AWS up; FAULT=merge-crash kills a job
	@LAKEGATE_SETUP_SECONDS=$$(cat $(SETUP_SECONDS) 2>/dev/null || true) \
	  exec $(PY) -m scripts.demo $(if $(filter 1,$(KEEP)),--keep) $(if $(PORT),--port $(PORT)) \
	  $(if $(FAULT),--fault '$(FAULT)')

gameday: $(STAMP) ## Play known faults against the offline stack; ONLY=file-twice for one of them, KEEP=1 as in demo
	@exec $(PY) -m scripts.gameday $(if $(ONLY),--only $(ONLY)) $(if $(filter 1,$(KEEP)),--keep) \
	  $(if $(PORT),--port $(PORT))

up: $(STAMP) ## Start the offline AWS with the stack on it; PORT=n chooses its port
	@exec $(PY) -m scripts.up $(if $(PORT),--port $(PORT))

down: $(STAMP) ## Stop the offline AWS
	@exec $(PY) -m scripts.down

docs: $(STAMP) ## Serve the Data Docs on this machine; ENV=dev or ENV=prod for those of an AWS account
	@exec $(PY) -m scripts.docs --env $(or $(ENV),local)

maintain: $(STAMP) ## Maintain the tables now; DATASET=employee for one dataset, ENV=dev or ENV=prod in an AWS account
	@exec $(PY) -m scripts.maintain --env $(or $(ENV),local) $(if $(DATASET),--dataset $(DATASET))

status: $(STAMP) ## How fresh each dataset is, its last runs, and what waits; ENV=dev or ENV=prod, JSON=1 for scripts
	@exec $(PY) -m scripts.status --env $(or $(ENV),local) $(if $(filter 1,$(JSON)),--json)

history: $(STAMP) ## Runs over time against what is usual, with charts; DATASET=employee, DAYS=90, ENV=dev or ENV=prod
	@exec $(PY) -m scripts.history --env $(or $(ENV),local) $(if $(DATASET),--dataset $(DATASET)) \
	  $(if $(DAYS),--days $(DAYS))

backfill: $(STAMP) ## Insert what is missing of past files: DATE=2026-11-01 or FROM=… TO=…; DRY_RUN=1, FORCE=1, CONCURRENCY=n, DATASET, ENV
	@exec $(PY) -m scripts.backfill --env $(or $(ENV),local) $(if $(DATE),--date '$(DATE)') $(if $(FROM),--from '$(FROM)') \
	  $(if $(TO),--to '$(TO)') $(if $(DATASET),--dataset '$(DATASET)') $(if $(filter 1,$(DRY_RUN)),--dry-run) \
	  $(if $(filter 1,$(FORCE)),--force) $(if $(CONCURRENCY),--concurrency '$(CONCURRENCY)')

quarantine: $(STAMP) ## Count quarantined rows by batch and reason; DATE, REASON, DATASET, ENV; ROWS=1 shows them to data stewards
	@exec $(PY) -m scripts.quarantine --env $(or $(ENV),local) $(if $(DATASET),--dataset '$(DATASET)') \
	  $(if $(DATE),--date '$(DATE)') $(if $(REASON),--reason '$(REASON)') $(if $(filter 1,$(ROWS)),--rows)

replay: $(STAMP) ## Resume a failed run: RUN=<run id>, or submit quarantined rows again: QUARANTINE=<batch>; ENV
	@exec $(PY) -m scripts.replay --env $(or $(ENV),local) $(if $(RUN),--run '$(RUN)') \
	  $(if $(QUARANTINE),--quarantine '$(QUARANTINE)')

plan: $(STAMP) ## What an apply would change; ENV=dev or ENV=prod in your AWS account, else on the offline AWS
	@exec $(PY) -m scripts.deploy plan --env $(or $(ENV),local)

apply: $(STAMP) ## Bring an environment to this checkout; ENV=..., YES=1 answers for you
	@exec $(PY) -m scripts.deploy apply --env $(or $(ENV),local) $(if $(filter 1,$(YES)),--yes)

destroy: $(STAMP) ## Remove an environment and all that it holds; ENV=..., YES=1 answers for you
	@exec $(PY) -m scripts.deploy destroy --env $(or $(ENV),local) $(if $(filter 1,$(YES)),--yes)

bootstrap: $(STAMP) ## The bucket of Terraform's state, once per AWS account and region; ENV=dev or ENV=prod
	@exec $(PY) -m scripts.deploy bootstrap --env $(or $(ENV),local) $(if $(filter 1,$(YES)),--yes)

# One process more than there are cores, since whoever applies the stack waits most of the time. The files begin in
# the order that tests/conftest.py gives them.
test: $(STAMP) chromium checkov java spark ## All tests
	@exec $(PY) -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadfile --no-loadscope-reorder

test-fast: $(STAMP) ## The quick ones of the tests: no Terraform, no whole jobs
	@exec $(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not slow"

# tflint is not among them: it is a package of neither PyPI nor npm nor Debian.
tf-check: $(STAMP) checkov ## What is checked about the Terraform: format, validate, terraform test, checkov, READMEs
	@terraform fmt -check -recursive terraform
	@exec $(PY) -m pytest tests/terraform

tf-docs: $(STAMP) ## Write what is generated of the READMEs of the Terraform modules
	@exec $(PY) -m scripts.terraform_docs

# checkov pins an old boto3, so it has an environment of its own.
checkov: $(CHECKOV)
$(CHECKOV): $(STAMP) requirements/checkov.txt
	@set -euo pipefail; echo "Setting up checkov in build/checkov (once) ..."; \
	rm -rf build/checkov; \
	.venv/bin/uv venv --quiet --python $(PY) build/checkov; \
	.venv/bin/uv pip sync --quiet --python build/checkov/bin/python --require-hashes requirements/checkov.txt; \
	touch $@

# The tests of the Data Docs' pages need a browser, which cannot live in .venv. Without one they are skipped.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null && exit 0; \
	mkdir -p build; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium for the tests of the pages (once) ..."; \
	  { apt-get update && apt-get install -y --no-install-recommends chromium; } >build/chromium.log 2>&1 && exit 0; \
	fi; \
	echo "There is no Chromium here, and it cannot be installed: the tests of the pages are skipped."

# Spark is a program for Java, which cannot live in .venv either.
java:
	@command -v java >/dev/null && exit 0; \
	mkdir -p build; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  echo "Installing Java for the tests of Spark (once) ..."; \
	  { apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless; } >build/java.log 2>&1 \
	    && exit 0; \
	fi; \
	echo "There is no Java here, and it cannot be installed: the tests of Spark are skipped."

spark: $(SPARK) ## Spark and Iceberg as on Glue, into build/spark, for jobs with engine: spark

# Beside .venv and without dependencies, so that the demo does not wait for 600 MB that it never loads.
$(SPARK): requirements/spark.txt | $(STAMP)
	@echo "Installing Spark into build/spark (once) ..."; \
	rm -rf build/spark; \
	.venv/bin/uv pip install --quiet --python $(PY) --no-deps --require-hashes --target build/spark \
	  --requirement requirements/spark.txt; \
	touch $@

torture: $(STAMP) ## Interrupt gate and merge at every AWS call; EVERY=n for every n-th point
	@exec $(PY) -m scripts.torture $(if $(EVERY),--every $(EVERY))

bench: $(STAMP) java spark ## Measure against other programs; ONLY=engines, gate, merge or read_csv for one of them
	@exec $(PY) -m scripts.bench $(if $(ONLY),--only $(ONLY))

lint: $(STAMP) ## ruff and terraform fmt
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@terraform fmt -check -recursive terraform

format: $(STAMP) ## Let ruff and terraform format the sources
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format --quiet .
	@terraform fmt -recursive terraform

COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

package: $(STAMP) ## Build what Terraform uploads, into build/artifacts
	@exec $(PY) -m scripts.package

lock: $(STAMP) ## Pin the newest versions that pyproject.toml and requirements/*.in allow
	@$(COMPILE) requirements/uv.in --output-file requirements/uv.txt
	@$(COMPILE) pyproject.toml requirements/dev.in --output-file requirements/dev.txt
	@$(COMPILE) requirements/checkov.in --output-file requirements/checkov.txt
	@$(COMPILE) --no-deps requirements/spark.in --output-file requirements/spark.txt
	@$(COMPILE) pyproject.toml --constraint requirements/dev.txt --output-file requirements/runtime.txt

clean: ## Remove .venv and build/
	@if test -x $(PY); then $(PY) -m scripts.down || true; fi
	@rm -rf .venv build
