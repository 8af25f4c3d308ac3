#!/usr/bin/env bash
# Compile the hashed locks from pyproject.toml. Add --upgrade to move to newer versions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
lock() {
  uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet "$@"
}
lock ../pyproject.toml --extra cpu --output-file cpu.txt "$@"
lock ../pyproject.toml --extra gpu --constraint cpu.txt --output-file gpu.txt
lock --group ../pyproject.toml:export --constraint cpu.txt --output-file export.txt
lock --group ../pyproject.toml:live --constraint cpu.txt --output-file live.txt
lock --group ../pyproject.toml:freeze --constraint cpu.txt --constraint export.txt --constraint live.txt --output-file freeze.txt
lock --group ../pyproject.toml:player --constraint cpu.txt --constraint export.txt --constraint live.txt --output-file player.txt
lock --group ../pyproject.toml:sweep --constraint cpu.txt --output-file sweep.txt
lock --group ../pyproject.toml:dev --constraint cpu.txt --output-file dev.txt
lock --group ../pyproject.toml:container --constraint cpu.txt --output-file container.txt
lock --group ../pyproject.toml:test --constraint dev.txt --output-file test.txt
lock --group ../pyproject.toml:docs --constraint dev.txt --output-file docs.txt
lock --group ../pyproject.toml:class --constraint cpu.txt --constraint dev.txt --output-file class.txt
