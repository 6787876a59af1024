"""The generated data as each peer wants it. What is done here is done before the clock starts."""

from pathlib import Path

import numpy
import orjson

WINDOW = 50_000
NUMERIC = [f"x{place:03}" for place in range(20)]
CATEGORICAL = [f"x{place:03}" for place in range(20, 25)]
FEATURES = NUMERIC + CATEGORICAL


def reference(directory):
    """The rows of the reference, as columns by name."""
    lines = (Path(directory) / "reference.csv").read_text().splitlines()
    names = lines[0].split(",")
    columns = zip(*(line.replace('"', "").split(",") for line in lines[1:]))
    raw = dict(zip(names, columns))
    columns = {name: numpy.array(raw[name], dtype=float) for name in [*NUMERIC, "score"]}
    columns |= {name: numpy.array(raw[name], dtype=object) for name in CATEGORICAL}
    return columns | {name: numpy.array(raw[name], dtype=int) for name in ("prediction", "label")}


def rows(directory, most=None):
    """The rows that are watched, each with its label, as columns by name."""
    directory = Path(directory)
    with open(directory / "labels.jsonl", "rb") as file:
        labels = {label["prediction_id"]: label["label"] for label in map(orjson.loads, file)}
    features = {name: [] for name in FEATURES}
    outputs = {name: [] for name in ("prediction", "score", "label")}
    with open(directory / "predictions.jsonl", "rb") as file:
        for place, line in enumerate(file):
            if place == most:
                break
            row = orjson.loads(line)
            for name, value in row["features"].items():
                features[name].append(value)
            outputs["prediction"].append(row["prediction"])
            outputs["score"].append(row["score"])
            outputs["label"].append(labels[row["prediction_id"]])
    columns = {name: numpy.array(values, dtype=float) for name, values in features.items() if name in NUMERIC}
    columns |= {name: numpy.array(features[name], dtype=object) for name in CATEGORICAL}
    return columns | {name: numpy.array(values) for name, values in outputs.items()}


def windows(columns):
    """Windows of equal length, one after the other; what is left over makes none."""
    n = len(columns["label"])
    for start in range(0, n - n % WINDOW, WINDOW):
        yield {name: column[start : start + WINDOW] for name, column in columns.items()}
