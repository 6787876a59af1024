#!/usr/bin/env bash
# Times driftd beside other tools on the same data: see docs/PERFORMANCE.md. They are installed at pinned versions into a virtual environment under target/peers.
#
#   scripts/peers.sh [--rows N] [--rounds N] [--write]
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
home=target/peers
rows=200000 rounds=3 write=()
while [ $# -gt 0 ]; do
    case $1 in
    --rows) rows=$2 && shift 2 ;;
    --rounds) rounds=$2 && shift 2 ;;
    --write) write=(--write) && shift ;;
    *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && exit 2 ;;
    esac
done

# The copy of the requirements inside the environment tells what is there.
requirements=benches/peers/requirements.txt
if ! cmp -s "$requirements" "$home/env/requirements.txt"; then
    python3 -m venv --clear "$home/env"
    "$home/env/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$home/env/requirements.txt"
fi

# NannyML tells its makers of each use otherwise
export NML_DISABLE_USAGE_LOGGING=1
cargo bench --quiet --locked --bench pipeline -- --export "$home/data" --rows "$rows"
"$home/env/bin/python" benches/peers/compare.py "$home/data" "$rows" "$rounds" "${write[@]}"
