# Each recipe is a line that can be typed as it stands; just is not needed. `just` alone lists them.

[private]
default:
    @just --list

# Make .venv with all that development needs (a minute).
setup:
    python3 -m venv .venv && .venv/bin/pip install -q --require-hashes -r requirements-dev.lock && .venv/bin/pip install -q --no-deps --no-build-isolation -e .

# Run the tests of a file or folder (seconds): just test tests/pipelines/normalise/test_dates.py
test +FILES:
    .venv/bin/pytest {{FILES}}

# Run the default tests, on all cores (some five minutes on two).
all:
    .venv/bin/pytest -n auto

# Style, types and import directions (half a minute).
check:
    .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

# Put style right where that is safe.
fix:
    .venv/bin/ruff check --fix . && .venv/bin/ruff format .

# Crawl, group, list and export the bundled sample newsroom in ./jianbao-demo (seconds).
demo:
    .venv/bin/jianbao demo

# The desk in Chromium and Firefox, and issues through Jekyll (minutes; Debian's chromium, firefox-esr, jekyll).
browser:
    .venv/bin/pytest -m "browser or jekyll"

# The tests of the store and of the newsroom on PostgreSQL (minutes; Debian's postgresql).
postgresql:
    .venv/bin/pytest -n auto -m postgresql

# Everything that must pass before a change lands (some forty minutes; installs Debian packages that are missing).
ci:
    .ci/run
