"""Peers on columns in memory: each function takes reference and rows, prepares, and gives what is to be timed."""

import pandas

import by_hand
from data import CATEGORICAL, FEATURES, NUMERIC, WINDOW, windows


def numpy_scipy(reference, rows):
    """By hand. Categories are numbers beforehand, which flatters it."""
    prepared = by_hand.Reference(reference)
    rows = rows | {name: prepared.encode(name, rows[name]) for name in CATEGORICAL}
    return lambda: [prepared.judge(window) for window in windows(rows)]


def scouter(reference, rows):
    """Scouter's Rust core: PSI of all features, and nothing else of the job."""
    from scouter.drift import Drifter, PsiDriftConfig

    def frame(columns):
        columns = {name: columns[name] for name in FEATURES}
        return pandas.DataFrame(columns).astype({name: "category" for name in CATEGORICAL})

    drifter, config = Drifter(), PsiDriftConfig(space="bench", name="model", version="1.0.0", categorical_features=CATEGORICAL)
    profile = drifter.create_drift_profile(frame(reference), config)
    frames = [frame(window) for window in windows(rows)]
    return lambda: [drifter.compute_drift(window, profile) for window in frames]


def evidently(reference, rows):
    """Evidently: the job's figures and no presets, which compute more."""
    reference, frames = evidently_data(reference), [evidently_data(window) for window in windows(rows)]
    return lambda: [evidently_report(window, reference) for window in frames]


def evidently_data(columns):
    from evidently import BinaryClassification, DataDefinition, Dataset

    kinds = DataDefinition(
        numerical_columns=NUMERIC,
        categorical_columns=CATEGORICAL,
        classification=[BinaryClassification(target="label", prediction_labels="prediction", pos_label=1)],
    )
    return Dataset.from_pandas(pandas.DataFrame(columns).drop(columns="score"), data_definition=kinds)


def evidently_report(window, reference):
    from evidently import Report
    from evidently.metrics import Accuracy, Precision, Recall, ValueDrift

    tests = [(NUMERIC, "psi"), (NUMERIC, "ks"), (CATEGORICAL, "psi"), (CATEGORICAL, "chisquare")]
    drifts = [ValueDrift(column=name, method=method) for names, method in tests for name in names]
    return Report([*drifts, Accuracy(), Precision(), Recall()]).run(window, reference).dict()


def nannyml(reference, rows):
    """NannyML: KS and Jensen–Shannon, realised performance."""
    import nannyml

    drift = nannyml.UnivariateDriftCalculator(
        column_names=FEATURES,
        treat_as_categorical=CATEGORICAL,
        continuous_methods=["kolmogorov_smirnov"],
        categorical_methods=["jensen_shannon"],
        chunk_size=WINDOW,
    )
    quality = nannyml.PerformanceCalculator(
        metrics=["accuracy", "precision", "recall"],
        y_true="label",
        y_pred="prediction",
        y_pred_proba="score",
        problem_type="classification_binary",
        chunk_size=WINDOW,
    )
    reference, rows = pandas.DataFrame(reference), pandas.DataFrame(rows)
    drift.fit(reference)
    quality.fit(reference)
    return lambda: (drift.calculate(rows).to_df(), quality.calculate(rows).to_df())
