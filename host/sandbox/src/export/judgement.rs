//! What evaluators and comparators describe and give is checked here before anything is counted.

use crate::names::{cut, is_kebab_case};
use crate::size;
use diapason_core::score::{Judgement, Measure, MeasureInfo, Outcome};

/// Measures of a plugin. Each is an interval and a row of the report.
const MEASURES: usize = 256;

/// Bytes of a measure's summary.
const SUMMARY: usize = 1000;

/// The largest value: sums over all samples and their squares stay exact enough, and far from overflow.
const LARGEST: f64 = 1e15;

/// Notes of one judgement, and their bytes together; bytes of a note's name and of the reason for no score.
const NOTES: usize = 100;
const NOTE_BYTES: usize = 1 << 16;
const NAME: usize = 200;
const REASON: usize = 1 << 14;

/// Says what is wrong with a plugin's measures, if anything is.
pub(super) fn check_infos(infos: &[MeasureInfo]) -> Result<(), String> {
    if infos.len() > MEASURES {
        return Err(format!("it describes {} measures, at most {MEASURES} are taken", infos.len()));
    }
    for (index, info) in infos.iter().enumerate() {
        let name = &info.name;
        if !is_kebab_case(name) {
            return Err(format!("measure {:?} is not named in kebab-case", cut(name)));
        }
        if infos[..index].iter().any(|other| other.name == *name) {
            return Err(format!("measure {name} is described twice"));
        }
        if info.summary.len() > SUMMARY {
            return Err(format!("the summary of measure {name} has more than {SUMMARY} bytes"));
        }
        if let Some((low, high)) = info.bounds
            && !(-LARGEST <= low && low < high && high <= LARGEST)
        {
            return Err(format!(
                "measure {name} has the bounds {low} and {high}, expected two numbers in order, at most {LARGEST:e} in size"
            ));
        }
    }
    Ok(())
}

/// Says what is wrong with a judgement, if anything is.
pub(super) fn check(infos: &[MeasureInfo], judgement: &Judgement) -> Result<(), String> {
    check_notes(judgement)?;
    let measures = match &judgement.outcome {
        Outcome::Scored(measures) => measures,
        Outcome::Unscored(reason) if reason.len() > REASON => {
            return Err(format!("its reason for no score has {} bytes, at most {REASON} are kept", reason.len()));
        }
        Outcome::Unscored(_) => return Ok(()),
    };
    if measures.len() > infos.len() {
        return Err(format!("it gives {} measures and has described {}", measures.len(), infos.len()));
    }
    for (index, measure) in measures.iter().enumerate() {
        let name = &measure.name;
        let info = infos.iter().find(|info| info.name == *name);
        let info = info.ok_or_else(|| format!("measure {:?} was never described", cut(name)))?;
        if measures[..index].iter().any(|other| other.name == *name) {
            return Err(format!("measure {name} is given twice"));
        }
        check_value(info, measure)?;
    }
    Ok(())
}

fn check_notes(judgement: &Judgement) -> Result<(), String> {
    let (count, bytes) = (judgement.notes.len(), size::notes(judgement));
    if count > NOTES {
        return Err(format!("it gives {count} notes, at most {NOTES} are kept"));
    }
    if bytes > NOTE_BYTES {
        return Err(format!("its notes have {} KiB, at most {} are kept", bytes >> 10, NOTE_BYTES >> 10));
    }
    match judgement.notes.iter().find(|(name, _)| name.len() > NAME) {
        Some((name, _)) => Err(format!("the name of a note has {} bytes, at most {NAME} are kept", name.len())),
        None => Ok(()),
    }
}

fn check_value(info: &MeasureInfo, measure: &Measure) -> Result<(), String> {
    let Measure { name, value } = measure;
    if !value.is_finite() {
        return Err(format!("measure {name} is {value}, expected a finite number"));
    }
    if value.abs() > LARGEST {
        return Err(format!("measure {name} is {value:e}, expected a number of at most {LARGEST:e} in size"));
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

/// Says how two judgements of one input differ, if they do.
pub(super) fn difference(first: &Judgement, again: &Judgement) -> Option<String> {
    if first == again {
        return None;
    }
    let say = |a: String, b: String| Some(format!("{a} first and {b} when it is asked again"));
    let (Outcome::Scored(a), Outcome::Scored(b)) = (&first.outcome, &again.outcome) else {
        if first.outcome == again.outcome {
            return Some("its notes are others when it is asked again".into());
        }
        return say(shown(&first.outcome), shown(&again.outcome));
    };
    let value = |measures: &[Measure], name: &str| {
        let found = measures.iter().find(|measure| measure.name == name);
        found.map_or("absent".to_owned(), |measure| measure.value.to_string())
    };
    let names = a.iter().chain(b).map(|measure| &measure.name);
    for name in names {
        let (one, other) = (value(a, name), value(b, name));
        if one != other {
            return say(format!("{name} is {one}"), other);
        }
    }
    Some("its notes, or the order of its measures, are others when it is asked again".into())
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Scored(measures) => {
            let each: Vec<String> =
                measures.iter().take(3).map(|measure| format!("{} = {}", measure.name, measure.value)).collect();
            format!("scored ({})", each.join(", "))
        }
        Outcome::Unscored(reason) => format!("unscored ({})", &reason[..reason.floor_char_boundary(100)]),
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
        let many: Vec<_> = (0..257).map(|n| info(&format!("m{n}"), false, None)).collect();
        check_infos(&many[..256]).unwrap();
        assert_eq!(check_infos(&many).unwrap_err(), "it describes 257 measures, at most 256 are taken");
        let long = MeasureInfo { summary: "é".repeat(501), ..info("a", true, None) };
        assert!(check_infos(&[long]).unwrap_err().contains("summary"));
        for bounds in [(1.0, 0.0), (0.0, f64::INFINITY), (f64::NAN, 1.0), (0.0, 0.0), (0.0, 1e16), (-1e300, 0.0)] {
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
        for value in [1e308, -1e308, 1.1e15, f64::MAX, f64::MIN] {
            assert!(refused(&[("free", value)]).unwrap().contains("at most 1e15 in size"), "{value}");
        }
        assert_eq!(refused(&[("free", -1e15)]), None);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(refused(&[("free", value)]).unwrap().contains("expected a finite number"));
        }
    }

    #[test]
    fn notes_and_reasons() {
        let refused = |outcome: Outcome, notes: Vec<(String, String)>| check(&[], &Judgement { outcome, notes }).err();
        let scored = || Outcome::Scored(Vec::new());
        let note = |name: usize, text: usize| ("n".repeat(name), "t".repeat(text));
        assert_eq!(refused(scored(), vec![note(9, 30_000), note(9, 30_000)]), None);
        assert!(refused(scored(), vec![note(9, 70_000)]).unwrap().contains("its notes have 68 KiB, at most 64"));
        assert!(refused(scored(), vec![note(1, 1); 101]).unwrap().contains("101 notes"));
        assert!(refused(scored(), vec![note(201, 1)]).unwrap().contains("name of a note"));
        assert!(refused(Outcome::Unscored("r".repeat(20_000)), Vec::new()).unwrap().contains("reason"));
    }
}
