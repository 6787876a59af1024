#!/usr/bin/env python3
"""Cuts the figures in this folder out of the golden.json of the full data sets: extract.py <folder of the data sets>

Numbers are copied as they are. The values that they are about stand beside, in ../<data set>: the reference and the events of every chunk.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent


def of_nannyml(column):
    """The figures of a column, chunk by chunk, and the bins of its two distances."""
    figures = {key: value.get("value", value.get("stat")) for key, value in column.items() if key in (
        "kolmogorov_smirnov", "jensen_shannon", "wasserstein", "hellinger", "chi2", "l_infinity")}
    return {**figures, **({"doane_edges": column["doane_bins"]["edges"]} if "doane_bins" in column else {})}


def short(name):
    """Evidently's metric without its options."""
    return name.split("(")[0]


def excerpt(folder):
    golden = json.loads((folder / "golden.json").read_text())
    expected, nannyml, evidently = golden["scipy_numpy_sklearn"], golden["nannyml"], golden["evidently"]

    def column(name, figures):
        by_peer = {"nannyml": of_nannyml(nannyml["univariate"][name]), "evidently": evidently["stattests"][name]}
        return {**figures, **by_peer}

    out = {
        "dataset": golden["dataset"],
        "task": golden["task"],
        "versions": {**{key: expected[key] for key in ("scipy", "numpy", "sklearn")}, "nannyml": nannyml["version"],
                     "evidently": evidently["version"]},
        "notes": golden["method_notes"],
        "numerical": {name: column(name, figures) for name, figures in expected["numerical"].items()},
        "categorical": {name: column(name, figures) for name, figures in expected["categorical"].items()},
        "nannyml_missing": {name: figures["missing_rate"]["value"] for name, figures in nannyml["data_quality"].items()},
        "nannyml_unseen": {name: figures["unseen_rate"]["value"] for name, figures in nannyml["data_quality"].items()
                           if "unseen_rate" in figures},
        "nannyml_realized": {key: figures["value"] for key, figures in nannyml["realized"].items()},
        "nannyml_estimated": {key: figures["value"] for key, figures in nannyml["estimated"].items()},
        "evidently_quality": [{short(key): value for key, value in chunk.items()} for chunk in evidently["quality"]],
        "evidently_preset": [{"drifted_count": chunk["drifted_count"],
                              "score": {name: figures["score"] for name, figures in chunk["columns"].items()}}
                             for chunk in evidently["preset"]],
    }
    (HERE / f"{golden['dataset']}.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


for name in ("elec2", "nml_credit_card", "nml_car_price"):
    excerpt(pathlib.Path(sys.argv[1]) / name)
