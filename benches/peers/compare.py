"""Times driftd and its peers in turns, on the same data in the same run, and prints the ratios: see scripts/peers.sh.

compare.py DATA ROWS ROUNDS [--write]
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

import chart
from measure import LINES, MEMORY

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/PERFORMANCE.md"
MARKS = ("<!-- written by make bench-peers -->\n", "<!-- end of what make bench-peers writes -->")
NAMES = {
    "driftd_lines": "driftd: decoding, label join, all figures",
    "orjson_online": "best Python loop: orjson, bins as events come, label join, PSI",
    "orjson_numpy": "orjson → numpy/scipy by hand, label join",
    "polars": "polars → numpy/scipy by hand, label join",
    "evidently_pandas": "Evidently through pandas, label join",
    "driftd_memory": "driftd: label join, all figures",
    "numpy_scipy": "numpy/scipy by hand: KS, PSI, chi-square, quality",
    "scouter": "Scouter's Rust core: PSI alone",
    "evidently": "Evidently: KS, PSI, chi-square, quality",
    "nannyml": "NannyML: KS, Jensen–Shannon, quality",
}
# how many times as fast as a peer driftd is to be
GOALS = {"orjson_online": 10, "evidently_pandas": 100, "numpy_scipy": 5, "scouter": 3, "evidently": 200}


def run(command):
    """The JSON that a command prints; `None` where it fails, which is told."""
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE)
    if ended.returncode != 0:
        print(f"failed: {command}", file=sys.stderr)
        return None
    return json.loads(ended.stdout)


def driftd(rows):
    """Rows a CPU second from lines and in memory."""
    figures = run(["cargo", "bench", "--quiet", "--locked", "--bench", "pipeline", "--", "--scene", "peers", "--rows", str(rows)])
    return [1e9 / figure["samples"][0] for figure in figures]


def measure(data, rows, rounds):
    """Rows a CPU second of everybody, round by round."""
    found = {name: [] for name in NAMES}
    for turn in range(rounds):
        lines, memory = driftd(rows)
        found["driftd_lines"].append(lines)
        found["driftd_memory"].append(memory)
        for peer in LINES + MEMORY:
            print(f"round {turn + 1} of {rounds}: {peer}", file=sys.stderr)
            timed = run([sys.executable, "-W", "ignore", ROOT / "benches/peers/measure.py", peer, data])
            if timed:
                found[peer].append(timed["rows"] / timed["seconds"])
    return found


def table(title, names, found):
    """One row a peer; the first is driftd."""
    ours = statistics.median(found[names[0]])
    text = f"| {title} | rows a CPU second | range | driftd is | goal | |\n|---|--:|--:|--:|--:|---|\n"
    for name in names:
        rates = found[name]
        if not rates:
            text += f"| {NAMES[name]} | not measured: it failed | | | | |\n"
            continue
        middle, goal = statistics.median(rates), GOALS.get(name)
        ratio = "" if name == names[0] else f"{ours / middle:.1f} ×"
        verdict = "" if goal is None else "held" if ours / middle >= goal else "**missed**"
        goal = f"≥ {goal} ×" if goal else ""
        text += f"| {NAMES[name]} | {middle:,.0f} | {min(rates):,.0f}–{max(rates):,.0f} | {ratio} | {goal} | {verdict} |\n"
    return text


def versions():
    """What was measured, beside driftd."""
    lines = (Path(__file__).parent / "requirements.txt").read_text().splitlines()
    return ", ".join([f"Python {sys.version.split()[0]}", *(line.replace("==", " ") for line in lines if "==" in line)])


def main():
    data, rows, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    found = measure(data, rows, rounds)
    groups = [("from JSON lines", ["driftd_lines", *LINES]), ("in memory, without parsing", ["driftd_memory", *MEMORY])]
    machine = run(["cargo", "bench", "--quiet", "--locked", "--bench", "pipeline", "--", "--machine"])
    text = f"{rows:,} predictions of 630 bytes in {rounds} round{"s" if rounds != 1 else ""}. {machine}; {versions()}.\n\n"
    text += "\n".join(table(title, names, found) for title, names in groups)
    print(text)
    if "--write" in sys.argv:
        head, rest = PAGE.read_text().split(MARKS[0])
        tail = rest.split(MARKS[1])[1]
        PAGE.write_text(head + MARKS[0] + text + MARKS[1] + tail)
        medians = {name: statistics.median(rates) for name, rates in found.items() if rates}
        chart.write(ROOT / "docs/performance.svg", groups, medians, NAMES)


main()
