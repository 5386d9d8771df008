#!/bin/sh
# Resolve pyproject.toml in a new virtual environment and write the versions it got into constraints.txt.
set -eu
cd "$(dirname "$0")/.."
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
"${1:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install -q --disable-pip-version-check ".[dev,evaluation]"
{
    echo "# Written by: make lock. Versions that make run and make test install; torch without its build tag, so that"
    echo "# a CPU build is taken where one is offered."
    "$venv/bin/python" -m pip freeze --exclude revista | sed 's/+cpu$//'
} > constraints.txt
