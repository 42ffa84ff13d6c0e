"""Golden values for host/core's statistics, from scipy and statsmodels.

    python tests/oracles/scipy_statistics.py > host/core/tests/golden/statistics.json

Made with scipy 1.17.1 and statsmodels 0.15.0.
"""

import json

import numpy as np
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import ttost_paired

random = np.random.default_rng(20260101)


def distributions():
    ps = [1e-10, 1e-6, 0.001, 0.01, 0.025, 0.05, 0.2, 0.5, 0.8, 0.975, 0.999]
    zs = [-8.0, -3.0, -2.5, -1.96, -0.3, 0.0, 0.7, 1.5, 2.9, 4.0]
    degrees = [1, 2, 5, 9, 30, 199, 5000]
    return {
        "normal_quantile": [[p, stats.norm.ppf(p)] for p in ps],
        "normal_cdf": [[z, stats.norm.cdf(z)] for z in zs],
        "t_quantile": [[p, d, stats.t.ppf(p, d)] for p in ps for d in degrees],
        "t_cdf": [[z, d, stats.t.cdf(z, d)] for z in zs for d in degrees],
        "binomial_cdf": [
            [k, n, p, stats.binom.cdf(k, n, p)]
            for n, k in [(1, 0), (5, 2), (10, 10), (40, 3), (200, 90), (3000, 1450), (100000, 49800)]
            for p in [0.01, 0.3, 0.5, 0.9]
        ],
    }


def proportions():
    rows = []
    for ones, n in [(0, 1), (1, 1), (0, 20), (20, 20), (7, 20), (199, 200), (450, 1000), (9990, 10000)]:
        for level in [0.9, 0.95, 0.999]:
            wilson = proportion_confint(ones, n, alpha=1 - level, method="wilson")
            exact = proportion_confint(ones, n, alpha=1 - level, method="beta")
            rows.append([ones, n, level, list(wilson), list(exact)])
    return rows


def mcnemar_exact():
    return [
        [b, c, mcnemar([[10, b], [c, 5]], exact=True).pvalue, stats.binom.cdf(b, b + c, 0.5)]
        for b, c in [(0, 0), (0, 1), (3, 3), (2, 9), (12, 2), (40, 61), (0, 25)]
    ]


def newcombe():
    """Method 10, written from the paper a second time, on statsmodels' Wilson intervals."""
    rows = []
    for both, base_only, tuned_only, neither in [(36, 12, 2, 0), (1, 1, 7, 3), (54, 0, 0, 0), (30, 0, 0, 20), (97, 3, 13, 87), (0, 5, 45, 0)]:
        n = both + base_only + tuned_only + neither
        row, column = both + base_only, both + tuned_only
        rest = row * (n - row) * column * (n - column)
        numerator = both * neither - base_only * tuned_only
        if numerator > 0:
            numerator = max(numerator - n / 2, 0)
        phi = numerator / np.sqrt(rest) if rest else 0.0
        (l1, u1), (l2, u2) = (proportion_confint(k, n, method="wilson") for k in (column, row))
        p1, p2 = column / n, row / n
        low = p1 - p2 - np.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
        high = p1 - p2 + np.sqrt((p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u1 - p1) + (u1 - p1) ** 2)
        rows.append([both, base_only, tuned_only, neither, low, high])
    return rows


def means():
    base = random.beta(2, 3, 60)
    tuned = np.clip(base + random.normal(0.05, 0.1, 60), 0, 1)
    difference = tuned - base
    test = stats.ttest_rel(tuned, base)
    interval = test.confidence_interval(0.95)
    bootstrap = stats.bootstrap((difference,), np.mean, n_resamples=200_000, method="BCa", rng=random)
    skewed = random.exponential(1.0, 25) ** 1.5
    skewed_bootstrap = stats.bootstrap((skewed,), np.mean, n_resamples=200_000, method="BCa", rng=random)
    return {
        "difference": list(difference),
        "paired_t": {"p": test.pvalue, "interval": [interval.low, interval.high]},
        "tost": [[m, float(ttost_paired(tuned, base, -m, m)[0])] for m in [0.05, 0.07, 0.1]],
        "bca": [bootstrap.confidence_interval.low, bootstrap.confidence_interval.high],
        "skewed": list(skewed),
        "skewed_bca": [skewed_bootstrap.confidence_interval.low, skewed_bootstrap.confidence_interval.high],
    }


def clusters():
    groups = [int(g) for g in np.repeat(np.arange(12), random.integers(1, 9, 12))]
    effects = random.normal(0, 1, 12)
    values = [float(effects[g] + random.normal(0.2, 0.5)) for g in groups]
    fit = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": np.array(groups)}, use_t=True)
    return {
        "values": values,
        "groups": groups,
        "standard_error": float(fit.bse[0]),
        "p": float(fit.pvalues[0]),
        "interval": [float(end) for end in fit.conf_int()[0]],
    }


def holm():
    ps = [0.01, 0.04, 0.03, 0.005, 0.2, 0.04]
    return {"p": ps, "adjusted": list(multipletests(ps, method="holm")[1])}


def plain(value):
    return value.item() if isinstance(value, np.generic) else str(value)


golden = {
    "distributions": distributions(),
    "proportions": proportions(),
    "mcnemar": mcnemar_exact(),
    "newcombe": newcombe(),
    "means": means(),
    "clusters": clusters(),
    "holm": holm(),
}
print(json.dumps(golden, indent=1, default=plain))
