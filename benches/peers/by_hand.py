"""The job by hand, as fast as numpy allows: exact Kolmogorov–Smirnov, PSI over deciles, PSI and chi-square of categories, quality."""

import numpy
from scipy import special, stats

from data import CATEGORICAL, NUMERIC

DECILES = numpy.arange(1, 10) / 10
SMOOTHING = 0.5


def psi(reference, current):
    """PSI of two vectors of counts."""
    p = (reference + SMOOTHING) / (reference + SMOOTHING).sum()
    q = (current + SMOOTHING) / (current + SMOOTHING).sum()
    return float(((q - p) * numpy.log(q / p)).sum())


def quality(prediction, label):
    """Accuracy, precision and recall of vectors of 0 and 1."""
    tn, fp, fn, tp = numpy.bincount(2 * label + prediction, minlength=4)
    return (tn + tp) / (tn + fp + fn + tp), tp / (tp + fp), tp / (tp + fn)


class Reference:
    """What is computed once of a reference."""

    def __init__(self, columns):
        self.sorted = {name: numpy.sort(columns[name]) for name in NUMERIC}
        self.edges = {name: numpy.unique(numpy.quantile(column, DECILES)) for name, column in self.sorted.items()}
        self.binned = {name: self.bins(name, column) for name, column in self.sorted.items()}
        self.codes = {name: {c: i for i, c in enumerate(numpy.unique(columns[name]))} for name in CATEGORICAL}
        self.counted = {name: self.count(name, self.encode(name, columns[name])) for name in CATEGORICAL}

    def bins(self, name, ordered):
        """Counts of a sorted column by bin."""
        below = numpy.searchsorted(ordered, self.edges[name])
        return numpy.diff(below, prepend=0, append=len(ordered))

    def encode(self, name, column):
        """Categories as numbers; one that the reference does not have is the last one."""
        codes = self.codes[name]
        return numpy.array([codes.get(value, len(codes)) for value in column])

    def count(self, name, codes):
        return numpy.bincount(codes, minlength=len(self.codes[name]) + 1)

    def numeric(self, name, column):
        """KS with its p-value, and PSI."""
        reference, ordered = self.sorted[name], numpy.sort(column)
        n, m = len(ordered), len(reference)
        # the distance is greatest at a value of the window, just before it or at it
        above = numpy.arange(1, n + 1) / n - numpy.searchsorted(reference, ordered, side="right") / m
        below = numpy.searchsorted(reference, ordered, side="left") / m - numpy.arange(n) / n
        distance = max(above.max(), below.max())
        return distance, special.kolmogorov(distance * numpy.sqrt(n * m / (n + m))), psi(self.binned[name], self.bins(name, ordered))

    def categorical(self, name, codes):
        """PSI and chi-square."""
        expected, found = self.counted[name], self.count(name, codes)
        seen = expected + found > 0
        return psi(expected[seen], found[seen]), stats.chi2_contingency([expected[seen], found[seen]])[1]

    def judge(self, window):
        """All figures of a window whose categories are numbers."""
        numeric = [self.numeric(name, window[name]) for name in NUMERIC]
        categorical = [self.categorical(name, window[name]) for name in CATEGORICAL]
        return numeric, categorical, quality(window["prediction"], window["label"])
