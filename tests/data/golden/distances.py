#!/usr/bin/env python3
"""Writes distances.json: scipy's figures for the numerical vectors of ../vectors.json that those do not have, and for a grid of tests."""

import json
import math
import pathlib
import warnings

import numpy
import scipy
from scipy import stats

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent


def finite(values):
    values = [float(v) for v in values]
    return [v for v in values if math.isfinite(v)]


def figures(reference, current):
    out = {}
    if reference and current:
        energy = stats.energy_distance(reference, current)
        out["energy_distance"] = energy if math.isfinite(energy) else None
    if min(len(reference), len(current)) >= 2:
        cvm = stats.cramervonmises_2samp(reference, current, method="asymptotic")
        out["cramervonmises_2samp"] = [float(cvm.statistic), float(cvm.pvalue)]
    if reference and current and len(reference) + len(current) >= 4 and len(set(reference + current)) >= 2:
        anderson = stats.anderson_ksamp([reference, current], midrank=True)
        out["anderson_ksamp"] = [float(anderson.statistic), float(anderson.pvalue)]
    return out


vectors = json.loads((HERE / "../vectors.json").read_text())["numerical"]
by_name = {v["name"]: figures(finite(v["reference"]), finite(v["current"])) for v in vectors}

# distributions.kstwo.sf is what ks_2samp(method="asymp") asks with round(nm/(n+m)) values
kstwo = []
for n in (1, 2, 5, 20, 100, 139, 141, 400, 1818, 2000, 5000, 9999, 20000, 1000000):
    for z in (0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.48, 1.49, 1.7, 2.2, 3.0, 5.0):
        x = z / math.sqrt(n)
        if x < 1:
            kstwo.append([n, x, float(stats.distributions.kstwo.sf(x, n))])

# the limit of the Cramér–von Mises statistic; scipy stops its series at 1e-7
limit = [[x, float(1 - scipy.stats._hypotests._cdf_cvm_inf(x))] for x in (0.01, 0.05, 0.1, 0.2, 0.34730, 0.46136, 0.74346, 1.16786, 2.0)]
out = {
    "scipy": scipy.__version__,
    "numpy": numpy.__version__,
    "numerical": by_name,
    "kstwo_sf": kstwo,
    "cvm_limit_sf": limit,
}
(HERE / "distances.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
