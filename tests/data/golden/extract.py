#!/usr/bin/env python3
"""Cuts the excerpts in this folder out of the full data sets: extract.py <folder of the data sets>

Values become counts per distinct value, so that no row of the source is kept; expected numbers are copied as they are.
"""

import csv
import json
import pathlib
import sys
from collections import Counter

HERE = pathlib.Path(__file__).parent
COLUMNS = {
    "elec2": ["period", "nswprice", "vicprice", "transfer"],
    "nml_credit_card": ["requested_credit_limit", "credit_bureau_score", "stated_income"],
    "nml_car_price": ["car_age", "accident_count", "door_count"],
}
# chunks of which numeric values and the regression's pairs are kept
KEPT = (0, 5, 9)
NUMERICAL = ["ks_stat", "ks_p_asymp", "wasserstein", "wasserstein_over_ref_std", "mean"]
NUMERICAL += [f"decile_{key}" for key in ("psi_eps1e-4", "psi_eps1e-6", "js_base2", "js_base_e", "hellinger", "counts")]
CATEGORICAL = ["keys", "reference_counts", "counts", "psi_eps1e-4", "psi_eps1e-6", "tvd", "js_base2", "js_base_e", "hellinger", "l_infinity"]
CATEGORICAL += [f"chi2_contingency_{key}" for key in ("stat", "p", "dof", "stat_no_yates", "p_no_yates")]
BINARY = ["accuracy", "precision", "recall", "f1"]
MULTICLASS = ["accuracy"] + [f"{m}_macro_{c}_classes" for m in ("precision", "recall", "f1") for c in ("all", "present")] + [
    f"{m}_per_class" for m in ("precision", "recall", "f1")
]
REGRESSION = ["mae", "rmse", "r2"]


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def peers(golden, column, kept):
    """What NannyML and Evidently say about a column, chunk by chunk."""
    nannyml = golden["nannyml"]["univariate"].get(column, {})
    evidently = golden["evidently"]["stattests"].get(column, {})
    return {
        "nannyml": {
            key: [value["value" if "value" in value else "stat"][place] for place in kept]
            for key, value in nannyml.items()
            if isinstance(value, dict) and ("value" in value or "stat" in value)
        },
        "evidently": {key: [value[place] for place in kept] for key, value in evidently.items() if isinstance(value, list)},
    }


def excerpt(folder):
    golden = json.loads((folder / "golden.json").read_text())
    expected = golden["scipy_numpy_sklearn"]
    with open(folder / "reference.csv", encoding="utf-8", newline="") as file:
        reference = list(csv.DictReader(file))
    events = {event["prediction_id"]: event for event in lines(folder / "predictions.jsonl")}
    ids = list(events)
    chunks = [ids[chunk["start"] : chunk["end"]] for chunk in golden["chunks"]]
    assert all(c[0] == g["first_id"] and c[-1] == g["last_id"] for c, g in zip(chunks, golden["chunks"]))

    numerical = {}
    for column in COLUMNS[golden["dataset"]]:
        counts = Counter(float(row[column]) for row in reference)
        current = [Counter(events[i]["features"][column] for i in chunks[place]) for place in KEPT]
        numerical[column] = {
            "reference": sorted(counts.items()),
            "chunks": [sorted(c.items()) for c in current],
            "deciles": expected["numerical"][column]["deciles"],
            **{key: [expected["numerical"][column][key][place] for place in KEPT] for key in NUMERICAL},
            **peers(golden, column, KEPT),
        }
    categorical = {
        column: {**{key: figures[key] for key in CATEGORICAL}, **peers(golden, column, range(len(golden["chunks"])))}
        for column, figures in expected["categorical"].items()
    }

    kept = {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION}[golden["task"]]
    quality = []
    labels = {event["prediction_id"]: event["label"] for event in lines(folder / "labels.jsonl")}
    for place, (chunk, figures) in enumerate(zip(chunks, expected["quality"])):
        if golden["task"] == "regression":
            if place in KEPT:
                pairs = [[events[i]["prediction"], labels[i]] for i in chunk if i in labels]
                quality.append({"pairs_prediction_label": pairs, **{key: figures[key] for key in kept}})
        else:
            quality.append({"confusion": figures["confusion"], **{key: figures[key] for key in kept}})
    out = {
        "dataset": golden["dataset"],
        "task": golden["task"],
        "versions": {key: expected[key] for key in ("scipy", "numpy", "sklearn")},
        "notes": golden["method_notes"]["scipy_numpy_sklearn"],
        "numerical": numerical,
        "categorical": categorical,
        "quality": quality,
    }
    (HERE / f"{golden['dataset']}.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


for name in COLUMNS:
    excerpt(pathlib.Path(sys.argv[1]) / name)
