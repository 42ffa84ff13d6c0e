//! What evaluators and comparators describe and give is checked here before anything is counted.

use super::is_kebab_case;
use diapason_core::score::{Judgement, Measure, MeasureInfo, Outcome};

/// Says what is wrong with a plugin's measures, if anything is.
pub(super) fn check_infos(infos: &[MeasureInfo]) -> Result<(), String> {
    for (index, info) in infos.iter().enumerate() {
        let name = &info.name;
        if !is_kebab_case(name) {
            return Err(format!("measure {name:?} is not named in kebab-case"));
        }
        if infos[..index].iter().any(|other| other.name == *name) {
            return Err(format!("measure {name} is described twice"));
        }
        if let Some((low, high)) = info.bounds
            && !(low.is_finite() && high.is_finite() && low < high)
        {
            return Err(format!("measure {name} has the bounds {low} and {high}"));
        }
    }
    Ok(())
}

/// Says what is wrong with a judgement, if anything is.
pub(super) fn check(infos: &[MeasureInfo], judgement: &Judgement) -> Result<(), String> {
    let Outcome::Scored(measures) = &judgement.outcome else { return Ok(()) };
    for (index, measure) in measures.iter().enumerate() {
        let name = &measure.name;
        let info = infos.iter().find(|info| info.name == *name);
        let info = info.ok_or_else(|| format!("measure {name:?} was never described"))?;
        if measures[..index].iter().any(|other| other.name == *name) {
            return Err(format!("measure {name} is given twice"));
        }
        check_value(info, measure)?;
    }
    Ok(())
}

fn check_value(info: &MeasureInfo, measure: &Measure) -> Result<(), String> {
    let Measure { name, value } = measure;
    if !value.is_finite() {
        return Err(format!("measure {name} is {value}, expected a finite number"));
    }
    if info.binary && *value != 0.0 && *value != 1.0 {
        return Err(format!("measure {name} is {value}, expected 0 or 1 as it is described as binary"));
    }
    match info.bounds {
        Some((low, high)) if !(low..=high).contains(value) => {
            Err(format!("measure {name} is {value}, outside of its bounds {low} and {high}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn info(name: &str, binary: bool, bounds: Option<(f64, f64)>) -> MeasureInfo {
        MeasureInfo { name: name.into(), summary: String::new(), higher_is_better: true, binary, bounds }
    }

    #[test]
    fn descriptions() {
        check_infos(&[info("a", true, None), info("b", false, Some((0.0, 1.0)))]).unwrap();
        assert!(check_infos(&[info("A", true, None)]).unwrap_err().contains("kebab-case"));
        assert!(check_infos(&[info("a", true, None), info("a", false, None)]).unwrap_err().contains("twice"));
        for bounds in [(1.0, 0.0), (0.0, f64::INFINITY), (f64::NAN, 1.0)] {
            assert!(check_infos(&[info("a", false, Some(bounds))]).unwrap_err().contains("bounds"));
        }
    }

    #[test]
    fn values() {
        let infos = [info("yes", true, None), info("rate", false, Some((0.0, 1.0))), info("free", false, None)];
        let refused = |measures: &[(&str, f64)]| {
            let measures = measures.iter().map(|&(name, value)| Measure { name: name.into(), value }).collect();
            check(&infos, &Judgement { outcome: Outcome::Scored(measures), notes: Vec::new() }).err()
        };
        assert_eq!(refused(&[("yes", 1.0), ("rate", 0.5), ("free", -7.0)]), None);
        assert_eq!(refused(&[]), None);
        assert!(refused(&[("other", 1.0)]).unwrap().contains("never described"));
        assert!(refused(&[("yes", 1.0), ("yes", 1.0)]).unwrap().contains("twice"));
        assert!(refused(&[("yes", 0.5)]).unwrap().contains("expected 0 or 1"));
        assert!(refused(&[("rate", 1.001)]).unwrap().contains("outside of its bounds 0 and 1"));
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(refused(&[("free", value)]).unwrap().contains("expected a finite number"));
        }
    }
}
