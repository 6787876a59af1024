"""Peers on JSON lines: reading and decoding is part of what is timed. Each function takes the directory and the reference, and gives what is to be timed."""

from bisect import bisect_right
from pathlib import Path

import numpy
import orjson

import by_hand
from data import CATEGORICAL, FEATURES, NUMERIC, WINDOW


def batches(path):
    """The lines of a file, a window at a time."""
    with open(path, "rb") as file:
        lines = []
        for line in file:
            lines.append(line)
            if len(lines) == WINDOW:
                yield lines
                lines = []
        if lines:
            yield lines


def labels(directory):
    with open(Path(directory) / "labels.jsonl", "rb") as file:
        return {label["prediction_id"]: label["label"] for label in map(orjson.loads, file)}


def orjson_online(directory, reference):
    """The best loop: bins that are counted as events come, labels joined by a dictionary, a report a window."""
    prepared = by_hand.Reference(reference)
    edges = [prepared.edges[name].tolist() for name in NUMERIC]
    codes = [prepared.codes[name] for name in CATEGORICAL]
    sizes = [len(e) + 1 for e in edges] + [len(c) + 1 for c in codes]
    expected = [prepared.binned[name] for name in NUMERIC] + [prepared.counted[name] for name in CATEGORICAL]

    def job():
        truth, reports = labels(directory), []
        for lines in batches(Path(directory) / "predictions.jsonl"):
            counts = [[0] * size for size in sizes]
            numeric, categorical = list(zip(counts, edges)), list(zip(counts[len(edges) :], codes))
            confusion = [0, 0, 0, 0]
            for line in lines:
                row = orjson.loads(line)
                # features stand in one order in all messages
                values = list(row["features"].values())
                for (count, edge), value in zip(numeric, values):
                    count[bisect_right(edge, value)] += 1
                for (count, code), value in zip(categorical, values[20:]):
                    count[code.get(value, -1)] += 1
                confusion[2 * truth.pop(row["prediction_id"]) + row["prediction"]] += 1
            psi = [by_hand.psi(e, numpy.array(c)) for e, c in zip(expected, counts)]
            reports.append((psi, confusion))
        return reports

    return job


def orjson_numpy(directory, reference):
    """Decoded rows become columns, and the job by hand judges them."""
    prepared = by_hand.Reference(reference)

    def job():
        truth, reports = labels(directory), []
        for lines in batches(Path(directory) / "predictions.jsonl"):
            rows = [orjson.loads(line) for line in lines]
            columns = dict(zip(FEATURES, zip(*(row["features"].values() for row in rows))))
            window = {name: numpy.array(columns[name], dtype=float) for name in NUMERIC}
            window |= {name: prepared.encode(name, columns[name]) for name in CATEGORICAL}
            window["prediction"] = numpy.array([row["prediction"] for row in rows])
            window["label"] = numpy.array([truth.pop(row["prediction_id"]) for row in rows])
            reports.append(prepared.judge(window))
        return reports

    return job


def polars(directory, reference):
    """polars reads and joins, and the job by hand judges."""
    import polars

    prepared = by_hand.Reference(reference)
    codes = {name: (list(codes), list(codes.values())) for name, codes in prepared.codes.items()}

    def job():
        directory_ = Path(directory)
        truth = polars.read_ndjson(directory_ / "labels.jsonl").select("prediction_id", "label")
        rows = polars.read_ndjson(directory_ / "predictions.jsonl").join(truth, on="prediction_id", maintain_order="left").unnest("features")
        new = [polars.col(name).replace_strict(*codes[name], default=len(codes[name][0])) for name in CATEGORICAL]
        rows = rows.with_columns(new)
        slices = (rows.slice(start, WINDOW) for start in range(0, len(rows), WINDOW))
        names = [*FEATURES, "prediction", "label"]
        return [prepared.judge({name: part[name].to_numpy() for name in names}) for part in slices]

    return job


def evidently_pandas(directory, reference):
    """Rows become a data frame, labels are joined to it, and Evidently reports on each window."""
    import pandas

    from memory import evidently_data, evidently_report

    expected = evidently_data(reference)

    def job():
        truth = labels(directory)
        reports = []
        for lines in batches(Path(directory) / "predictions.jsonl"):
            rows = [orjson.loads(line) for line in lines]
            frame = pandas.DataFrame([row["features"] for row in rows])
            frame["prediction"] = [row["prediction"] for row in rows]
            frame["score"] = [row["score"] for row in rows]
            frame["label"] = pandas.Series([row["prediction_id"] for row in rows]).map(truth)
            reports.append(evidently_report(evidently_data(frame), expected))
        return reports

    return job
