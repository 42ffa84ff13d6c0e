"""Golden values for host/core's statistics, from scipy and statsmodels.

    python tests/oracles/scipy_statistics.py > host/core/tests/golden/statistics.json

Made with scipy 1.17.1, statsmodels 0.15.0 and mpmath 1.3.0.
"""

import json

import mpmath
import numpy as np
from scipy import linalg, optimize, special, stats
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


def paired_exact():
    """The unconditional test by brute force: every outcome, ordered by Tango's score with the nuisance parameter found
    numerically, in the worst case over a fine grid of it."""

    def score(n, b, c, delta):
        low, high = max(0.0, -delta), (1 - delta) / 2
        likelihood = lambda q: -(special.xlogy(c, q + delta) + special.xlogy(b, q) + special.xlogy(n - b - c, 1 - 2 * q - delta))
        q = optimize.minimize_scalar(likelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
        q = min([q, low, high], key=likelihood)
        distance = c - b - n * delta
        return distance / np.sqrt(n * (2 * q + delta * (1 - delta))) if abs(distance) > 1e-12 else 0.0

    rows = []
    for n, b, c, delta in [
        (10, 0, 4, 0.0), (20, 1, 6, 0.0), (20, 2, 2, -0.1), (30, 3, 9, 0.05), (25, 0, 0, -0.15), (40, 6, 1, -0.3),
        (40, 12, 20, 0.0), (15, 0, 15, 0.6),
    ]:
        outcomes = [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]
        observed = score(n, b, c, delta)
        extreme = np.array([score(n, i, j, delta) >= observed - 1e-6 for i, j in outcomes])
        i, j = np.array(outcomes).T[:, extreme]
        ways = special.gammaln(n + 1) - special.gammaln(i + 1) - special.gammaln(j + 1) - special.gammaln(n - i - j + 1)
        tail = lambda q: np.exp(
            ways + special.xlogy(i, q) + special.xlogy(j, q + delta) + special.xlogy(n - i - j, max(1 - 2 * q - delta, 0))
        ).sum()
        worst = max(tail(q) for q in np.linspace(max(0.0, -delta), (1 - delta) / 2, 20001))
        rows.append([n, b, c, delta, worst])
    return rows


def gaffke():
    """P(sum of w_i x_i < t) with Dirichlet weights: by partial fractions with 60 digits where all values differ, by the
    beta distribution where they are 0 or 1."""
    mpmath.mp.dps = 60
    rows = []
    for size, least, t in [(2, 0.0, 0.3), (5, 0.0, 0.4), (12, -1.0, 0.2), (40, 0.0, 0.45), (40, -1.0, 0.5)]:
        values = sorted(float(v) for v in random.beta(2, 2, size))
        factors = [mpmath.mpf(v) - mpmath.mpf(t) for v in [*values, least]]
        above = mpmath.mpf(0)
        for i, own in enumerate(factors):
            if own > 0:
                above += mpmath.fprod(own / (own - other) for j, other in enumerate(factors) if j != i)
        rows.append([values, least, t, float(1 - above)])
    for ones, n, t in [(18, 20, 0.75), (20, 20, 0.9), (900, 1000, 0.88)]:
        rows.append([[1.0] * ones + [0.0] * (n - ones), 0.0, t, float(stats.binom.sf(ones - 1, n, t))])
    return rows


def cr2():
    """Bell and McCaffrey's variance and degrees of freedom from whole matrices, as clubSandwich computes them."""
    rows = []
    for sizes in [[3, 5, 1, 7, 4], [20, 1, 1, 2], [4] * 6, [2, 9]]:
        groups = np.repeat(np.arange(len(sizes)), sizes)
        values = random.normal(0, 1, len(sizes))[groups] + random.normal(0.2, 0.5, len(groups))
        n = len(groups)
        ones = np.ones((n, 1))
        hat = ones @ ones.T / n
        residuals = values - values.mean()
        contributions, rotations = [], []
        for g in range(len(sizes)):
            own = groups == g
            adjust = linalg.inv(linalg.sqrtm((np.eye(n) - hat)[np.ix_(own, own)]).real)
            weights = (np.ones(own.sum()) @ adjust) / n
            contributions.append((weights @ residuals[own]) ** 2)
            rotations.append(weights @ (np.eye(n) - hat)[own])
        rotations = np.array(rotations)
        degrees = []
        for covariance in [np.eye(n), (groups[:, None] == groups[None, :]).astype(float)]:
            inner = rotations @ covariance @ rotations.T
            degrees.append(np.trace(inner) ** 2 / (inner**2).sum())
        rows.append([[[float(v) for v in values[groups == g]] for g in range(len(sizes))], float(np.sqrt(sum(contributions))), degrees])
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


def holm():
    ps = [0.01, 0.04, 0.03, 0.005, 0.2, 0.04]
    return {"p": ps, "adjusted": list(multipletests(ps, method="holm")[1])}


def plain(value):
    return value.item() if isinstance(value, np.generic) else str(value)


golden = {
    "distributions": distributions(),
    "proportions": proportions(),
    "paired_exact": paired_exact(),
    "gaffke": gaffke(),
    "cr2": cr2(),
    "means": means(),
    "holm": holm(),
}
print(json.dumps(golden, indent=1, default=plain))
