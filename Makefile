# The only entry point: `make help` lists what there is.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Node 24 and every tool come from the virtual environment, never from the machine.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
# Synthesis re-compiles 3 s of aws_cdk at each start where bytecode is switched off.
export PYTHONDONTWRITEBYTECODE :=
# Threads for small sums wait for one another, in each of the test processes.
export OPENBLAS_NUM_THREADS := 1
# Machines behind a proxy of their own trust its certificate in the system's store only.
export UV_SYSTEM_CERTS := 1
export NODE_USE_SYSTEM_CA := 1
export CDK_DISABLE_VERSION_CHECK := 1
export CDK_DISABLE_CLI_TELEMETRY := true

ENVIRONMENT ?= dev
PYTHONS ?= 3.12 3.13
# Test processes, twice as many as CI has cores: tests with servers wait a lot. 0 runs all in one.
WORKERS ?= 4
DOMAIN := $(addprefix tests/,catalogue checking config contracts dataset report rules run serving)
DOMAIN_NEEDS := boto3 hypothesis jinja2 jsonschema msgspec openpyxl pillow pyarrow pytest
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: .venv/.installed layers ## everything the other targets need, from the lock files

.venv/.installed: requirements-uv.txt requirements-dev.txt package-lock.json pyproject.toml
	@python3 -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else "Python 3.11 or newer is needed, python3 is %d.%d here: put a newer one first in PATH" % v[:2])'
	@echo "installing the Python and Node tools into .venv and node_modules" >&2
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements-dev.txt
	uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	npm ci --silent --no-progress
	python -m compileall -q -j 0 .venv/lib/python3.*/site-packages/aws_cdk > /dev/null || true
	touch $@

# What the functions import, for AWS and for the local AWS; builds what is not there or not the lock's.
.PHONY: layers
layers: .venv/.installed
	@python -m bedrock_tuning.constructs.layer

.PHONY: demo
demo: install ## the main job on the local AWS: deploy, upload, train (simulated), serve, reject
	python -m local demo

# The longest first.
CHECKS := check-types check-secrets check-imports check-tree check-docs check-workflows check-lint check-format
# Tests of one folder that share a server or templates stay on one worker (tests/conftest.py).
PYTEST := pytest --numprocesses=$(WORKERS)

.PHONY: test
test: install browser ## checks, and all tests but the long ones (WORKERS=4)
	@$(MAKE) --no-print-directory --jobs=2 --keep-going tests-compiled $(CHECKS)
	$(PYTEST) -m "not long"

# What a clone has not compiled yet, each of the workers would compile.
.PHONY: tests-compiled
tests-compiled:
	@pytest --collect-only --quiet --numprocesses=0 > /dev/null || true

.PHONY: test-long
test-long: install browser ## tutorials, every option, failed and attested deployments on the local AWS; linters
	$(PYTEST) -m long

# Pages are tested in a real browser. Where we may not install one, those tests say so and are skipped.
.PHONY: browser
browser:
	@command -v chromium > /dev/null || { \
		echo "installing Chromium to test pages in" >&2; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } > build/browser.log 2>&1 \
		|| echo "no Chromium, and it could not be installed (build/browser.log): tests of pages are skipped" >&2; }

.PHONY: test-fast
test-fast: install ## tests of the domain and the functions only: no Node, no network, seconds
	pytest -m "not slow" --hypothesis-profile=fast $(DOMAIN) tests/lambdas

# Some histories are part of every test run; the seed of a wrong one repeats it.
HISTORIES ?= 10000
FIRST_SEED ?= 1000
.PHONY: chaos
chaos: install ## ten thousand histories of runs, people and faults; each fault at each call: 40 minutes
	CELLS=all HISTORIES=$(HISTORIES) FIRST_SEED=$(FIRST_SEED) pytest --numprocesses=0 \
		tests/lambdas/histories tests/e2e/test_histories.py

.PHONY: reliability
reliability: install ## what becomes of a run for each fault at each call, into docs/reliability.md: 3 minutes
	CELLS=write pytest --numprocesses=0 tests/lambdas/histories/test_cells.py

.PHONY: repeat-deploys
repeat-deploys: install ## deployments that fail at ten kinds of resources, each repeated to success: minutes
	EVERY_RESOURCE=1 pytest --numprocesses=0 tests/e2e/test_repeated_deploy.py

.PHONY: test-deep
test-deep: install ## tests of the domain with ten times as many generated examples: minutes
	$(PYTEST) --hypothesis-profile=deep $(DOMAIN) tests/review

# An environment of its own with the locked versions of the few packages that the domain needs.
.PHONY: test-pythons
test-pythons: install ## tests of the domain on the other Python versions that this machine has
	@for version in $(PYTHONS); do \
		python=$$(uv python find --no-python-downloads --no-project --system $$version 2> /dev/null) \
			|| { echo "Python $$version: not on this machine, not tested"; continue; }; \
		echo "Python $$version: $$python"; \
		uv venv --quiet --clear --python $$python build/python-$$version; \
		uv pip install --quiet --python build/python-$$version/bin/python \
			--constraints requirements-dev.txt $(DOMAIN_NEEDS); \
		build/python-$$version/bin/python -m pytest -q --hypothesis-profile=fast $(DOMAIN); \
	done

.PHONY: check $(CHECKS)
check: install ## formatting, lint, types, imports, the tree, references, generated docs, workflows, secrets
	@$(MAKE) --no-print-directory --jobs=2 --keep-going $(CHECKS)
check-types:
	@mypy
check-secrets:
	@git ls-files -z | xargs -0 -n 250 detect-secrets-hook --no-verify --baseline .secrets.baseline
# What a commit can break that compiles: the tree's order, and what texts refer to.
check-tree:
	@said=$$(pytest --quiet --no-header --numprocesses=0 tests/test_tree.py tests/test_references.py) || { echo "$$said" >&2; exit 1; }
check-docs:
	@tuning docs --check
check-imports:
	@lint-imports
check-workflows:
	@zizmor --offline --quiet .github
check-format:
	@ruff format --check --quiet . || { echo "fix with: make format" >&2; exit 1; }
check-lint:
	@ruff check --quiet .

.PHONY: format
format: install ## let ruff format and fix
	ruff format --quiet .
	ruff check --quiet --fix .

.PHONY: synth
synth: install ## templates into cdk.out: no credentials, no network (ENVIRONMENT=dev|prod|local)
	cdk synth --quiet --no-notices --context environment=$(ENVIRONMENT)

.PHONY: review
review: install ## the review page of the synthesized app (ENVIRONMENT=dev|prod|local): build/review.html
	@mkdir -p build
	cdk synth --quiet --no-notices --ignore-errors --context environment=$(ENVIRONMENT)
	tuning review cdk.out --html build/review.html --md build/review.md

# What a pull request shows: both sides are synthesized by their own code, and this one is proved.
BASE ?= origin/main
REVIEW := $(CURDIR)/build/review
.PHONY: review-against
review-against: install ## the same against a commit (BASE=origin/main): pages in build/review
	@rm -rf $(REVIEW) && mkdir -p $(REVIEW) && git worktree prune
	@git worktree add --quiet --detach $(REVIEW)/base $(BASE)
	cd $(REVIEW)/base && cdk synth --quiet --no-notices --ignore-errors --context environment=$(ENVIRONMENT) --output $(REVIEW)/before
	cdk synth --quiet --no-notices --ignore-errors --context environment=$(ENVIRONMENT) --output $(REVIEW)/after \
		|| echo "the synthesis failed; what it wrote is reviewed" >&2
	@git worktree remove --force $(REVIEW)/base
	tuning review build/review/after --against build/review/before --md build/review/review.md \
		--html build/review/review.html --sarif build/review/review.sarif

# checkov pins an old boto3, so it has an environment of its own.
build/checkov/.installed: requirements-scan.txt .venv/.installed
	@echo "installing checkov into build/checkov" >&2
	@uv venv --quiet --clear --python .venv/bin/python build/checkov
	@uv pip install --quiet --python build/checkov/bin/python --require-hashes -r requirements-scan.txt \
		|| { echo "checkov could not be installed: is a Python package registry within reach?" >&2; exit 1; }
	@touch $@

.PHONY: scan
scan: install build/checkov/.installed ## checkov: nothing but what tools/scan/acknowledgements.toml accepts
	python -m tools.scan

# Known vulnerabilities change without a commit, and finding them takes the network: not a part of
# `make test`. What cannot be looked up fails, too. CI does it every week and when a lock changes.
.PHONY: audit
audit: .venv/.installed ## known vulnerabilities of all that is locked: asks PyPI and npm
	@uv venv --quiet --clear --python .venv/bin/python build/audit
	@uv pip install --quiet --python build/audit/bin/python --require-hashes -r requirements-audit.txt
	@failed=0; for lock in requirements*.txt lambdas/requirements.txt; do echo "$$lock" >&2; \
		build/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
			--requirement $$lock || failed=1; done; \
		npm audit --package-lock-only || failed=1; exit $$failed

.PHONY: snapshots
snapshots: install ## accept the synthesized templates as they are now; read the diff
	pytest tests/stacks/test_snapshots.py --snapshot-update

.PHONY: accepted
accepted: install ## accept what rules, readers and the IAM engine say as it is now; read the diff
	for module in rules.words dataset.headers dataset.talks.records dataset.layouts.read \
		review.iam.answers; do python -m tests.$$module || exit 1; done

# Each plugin reads every line. Of these services nothing here is a user.
NO_SECRETS_OF := Artifactory AzureStorageKey Cloudant DiscordBotToken GitLabToken IbmCloudIam \
	IbmCosHmac Mailchimp OpenAI SendGrid Softlayer SquareOAuth Stripe TelegramBotToken TwilioKey
# Lock files consist of hashes; what is generated says what scanned files say.
NO_SECRETS_IN := __snapshots__/ (^|/)requirements[^/]*\.txt$$ ^package-lock\.json$$ ^tests/dataset/data/ \
	^tests/.*\.txt$$ \
	^docs/(cli|models|permissions|reliability|rules|settings)\.md$$ \.(svg|schema\.json)$$

# The emulator's credentials are "test".
.PHONY: secrets
secrets: install ## accept what the scan for secrets finds in committed files; read the diff
	detect-secrets scan --slim --no-verify --exclude-secrets '^test$$' \
		$(NO_SECRETS_OF:%=--disable-plugin %Detector) \
		$(foreach each,$(NO_SECRETS_IN),--exclude-files '$(each)') > .secrets.baseline

.PHONY: sbom
sbom: install ## bills of materials (CycloneDX) into build/sbom, from the lock files, without network
	mkdir -p build/sbom
	export PYTHONWARNINGS=ignore SBOM="cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible"; \
		$$SBOM lambdas/requirements.txt -o build/sbom/functions.cdx.json; \
		$$SBOM requirements.txt -o build/sbom/app.cdx.json; \
		$$SBOM requirements-dev.txt -o build/sbom/development.cdx.json; \
		$$SBOM requirements-scan.txt -o build/sbom/scan.cdx.json
	npm sbom --loglevel=error --sbom-format cyclonedx --package-lock-only > build/sbom/node.cdx.json

.PHONY: docs
docs: install ## write the generated pages under docs/
	tuning docs
	python -m tools.import_graph
	python app.py --picture > docs/workflow.svg

.PHONY: docs-site
docs-site: install ## the documentation as a site that opens without a server: build/site/index.html
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet

.PHONY: tutorials
tutorials: install ## run the tutorials and the notebook, and write what they print into their pages
	pytest --numprocesses=0 tests/e2e/test_tutorials.py tests/notebook --rewrite-tutorials

.PHONY: bench
bench: install ## measure against peers and limits; prints Markdown
	python -m tools.bench

.PHONY: load
load: install ## 300 customizations synthesized, 45 deployed, one more, one word; 50 uploads, two jobs; 500,000 records: half an hour
	python -m tools.bench --only customizations --only deployments --only uploads --only large --write tools/bench

.PHONY: fuzz
fuzz: install ## five minutes of coverage-guided fuzzing of each parser (SECONDS=300)
	python -m tools.fuzz manifest --seconds $(or $(SECONDS),300)
	python -m tools.fuzz images --seconds $(or $(SECONDS),300)

.PHONY: mutants
mutants: install ## small faults put into the code: do tests notice? (SEED=20261126 TARGETS=lambdas PER=12)
	python -m tools.mutants $(if $(SEED),--seed $(SEED)) $(if $(TARGETS),--targets $(TARGETS)) $(if $(PER),--per-module $(PER))

.PHONY: local-up
local-up: install ## start the local AWS (Bedrock simulated) on 127.0.0.1 (PORT=4566 CLOCK=3600 FRESH=1)
	python -m local up $(if $(PORT),--port $(PORT)) $(if $(CLOCK),--clock $(CLOCK)) $(if $(FRESH),--fresh)

.PHONY: local-down
local-down: install ## stop it
	python -m local down

.PHONY: lock
lock: .venv/.installed ## resolve the requirements anew, with hashes and without addresses
	$(COMPILE) --upgrade requirements.in -o requirements.txt
	$(COMPILE) --upgrade lambdas/requirements.in -c requirements.txt -o lambdas/requirements.txt
	$(COMPILE) --upgrade requirements-dev.in -c requirements.txt -c lambdas/requirements.txt -o requirements-dev.txt
	$(COMPILE) --upgrade requirements-scan.in -o requirements-scan.txt
	$(COMPILE) --upgrade requirements-audit.in -o requirements-audit.txt

.PHONY: clean
clean: ## stop the local AWS and remove what was built; keeps .venv and node_modules
	@if [ -e build/local/server.lock ] && [ -x .venv/bin/python ]; then \
		python -m local down || { rm -f build/local/server.lock; sleep 1; }; fi
	rm -rf build cdk.out
