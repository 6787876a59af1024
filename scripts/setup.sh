#!/usr/bin/env bash
# Sees to it that what the project needs outside of Cargo is there, silently when it is.
#
#   scripts/setup.sh build    what building driftd needs: a Rust toolchain, C and C++ compilers, make, perl, OpenSSL, zlib
#   scripts/setup.sh test     that, and what `make test` needs: rustfmt, clippy, Java 17 or later, Maven, Python with venv
#
# On Debian and Ubuntu, as root, missing packages are installed. Elsewhere this says what is missing and fails.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scope=${1:-test}
missing=()

say() { printf 'setup: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# Kafka's broker needs Java 17.
java_is_recent() {
    local version
    version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    [ -n "$version" ] && [ "$version" -ge 17 ]
}

can_make_venv() { python3 -c 'import venv, ensurepip' >/dev/null 2>&1; }

find_missing() {
    missing=()
    have cc || missing+=(gcc libc6-dev)
    have c++ || missing+=(g++)
    have make || missing+=(make)
    have perl || missing+=(perl)
    have pkg-config || missing+=(pkg-config)
    { have pkg-config && pkg-config --exists openssl; } || missing+=(libssl-dev)
    { have pkg-config && pkg-config --exists zlib; } || missing+=(zlib1g-dev)
    [ "$scope" = test ] || return 0
    { have java && java_is_recent; } || missing+=("$(java_package)")
    have mvn || missing+=(maven)
    can_make_venv || missing+=(python3 python3-venv)
}

# The first Java that this distribution has, of those that Kafka runs on.
java_package() {
    local version
    for version in 17 21 25; do
        if apt-cache show "openjdk-$version-jre-headless" >/dev/null 2>&1; then break; fi
        version=17
    done
    echo "openjdk-$version-jre-headless"
}

install_missing() {
    if ! have apt-get; then
        say "missing, under the names that Debian gives them: ${missing[*]}"
        say "install them with your system's package manager, then try again"
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        say "missing packages, and only root can install them. Run this, then try again:"
        say "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    say "updating the package lists"
    apt-get update -qq </dev/null >&2
    # the lists may offer another Java now
    find_missing
    say "installing ${missing[*]}"
    apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >&2
    find_missing
    [ ${#missing[@]} -eq 0 ] || { say "still missing after installing: ${missing[*]}"; exit 1; }
}

# The least Rust version stands in Cargo.toml only.
check_rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
    if ! have cargo || ! have rustc; then
        say "no Rust toolchain: install Rust $wanted or later with rustup (see rust-lang.org), then try again"
        exit 1
    fi
    found=$(rustc --version | cut -d ' ' -f 2)
    if [ "$(printf '%s\n' "$wanted" "${found%%-*}" | sort -V | head -n 1)" != "$wanted" ]; then
        say "Rust $found is too old: driftd needs $wanted or later; run 'rustup update stable', then try again"
        exit 1
    fi
    [ "$scope" = test ] || return 0
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        say "rustfmt or clippy is missing: run 'rustup component add rustfmt clippy', then try again"
        exit 1
    fi
}

case "$scope" in
build | test) ;;
*) say "unknown scope '$scope': build or test"; exit 2 ;;
esac
check_rust
find_missing
[ ${#missing[@]} -eq 0 ] || install_missing
