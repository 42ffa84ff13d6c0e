//! Special functions behind the distributions. Accuracy: about 1e-13 relative for the arguments that sample counts up to
//! 10⁵ lead to (tested against scipy).

/// Natural logarithm of the gamma function for x > 0: Lanczos' approximation with g = 7 and nine terms (C. Lanczos,
/// SIAM J. Numer. Anal. 1 (1964) 86; coefficients by P. Godfrey).
pub(super) fn ln_gamma(x: f64) -> f64 {
    const G: f64 = 7.0;
    const TERMS: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Reflection, DLMF 5.5.3.
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let series = TERMS.iter().enumerate().skip(1).fold(TERMS[0], |sum, (i, term)| sum + term / (x + i as f64));
    let t = x + G + 0.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + series.ln()
}

/// Regularised incomplete beta function I_x(a, b) for a, b > 0 and 0 ≤ x ≤ 1: the continued fraction DLMF 8.17.22,
/// on the side of the mean where it converges fast.
pub(super) fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta(1.0 - x, b, a);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    front
        / continued_fraction(1.0, |m| {
            let half = (m / 2) as f64;
            let term = if m % 2 == 0 {
                half * (b - half) * x / ((a + 2.0 * half - 1.0) * (a + 2.0 * half))
            } else {
                -(a + half) * (a + b + half) * x / ((a + 2.0 * half) * (a + 2.0 * half + 1.0))
            };
            (term, 1.0)
        })
}

/// Complementary error function for x ≥ 0: the series of erf (DLMF 7.6.2) below 2, the continued fraction DLMF 7.9.1
/// above.
pub(super) fn erfc(x: f64) -> f64 {
    let gauss = (-x * x).exp() / std::f64::consts::PI.sqrt();
    if x < 2.0 {
        let mut term = x;
        let mut sum = x;
        for k in 1..200 {
            term *= 2.0 * x * x / f64::from(2 * k + 1);
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        return 1.0 - 2.0 * gauss * sum;
    }
    gauss / continued_fraction(x, |m| (m as f64 / 2.0, x))
}

/// b₀ + a₁/(b₁ + a₂/(b₂ + …)) by the modified Lentz algorithm (W. Lentz, Appl. Opt. 15 (1976) 668; I. Thompson and
/// A. Barnett, J. Comput. Phys. 64 (1986) 490). `term(m)` gives (aₘ, bₘ) for m = 1, 2, …
fn continued_fraction(first: f64, term: impl Fn(usize) -> (f64, f64)) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut value = away_from_zero(first);
    let (mut c, mut d) = (value, 0.0);
    for m in 1..20_000 {
        let (a, b) = term(m);
        d = 1.0 / away_from_zero(b + a * d);
        c = away_from_zero(b + a / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}
