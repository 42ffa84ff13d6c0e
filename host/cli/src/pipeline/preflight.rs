//! What is looked at before a training run starts: faults that would otherwise show only in a model that does not work.

use crate::number::counted;
use crate::plan::Plan;
use diapason_core::config::{Overlong, Train};
use diapason_core::event::{Event, Sink};
use diapason_core::{Error, Result};
use diapason_models::Model;
use diapason_project::config::refuse;
use diapason_train::encode::Example;

/// At most this many rows are named; a message has to fit on a screen.
const LISTED: usize = 10;

/// What of a model decides whether rows can be learned.
pub(super) struct Facts {
    stop_ids: Vec<u32>,
    begin: Option<u32>,
    context: usize,
}

impl Facts {
    pub(super) fn of(model: &Model) -> Self {
        let begin = model.special_tokens().get("bos_token").and_then(|token| token.as_str().map(str::to_owned));
        let begin = begin.and_then(|token| model.tokenizer().encode(&token).ok());
        Self {
            stop_ids: model.stop_ids().to_vec(),
            begin: begin.filter(|ids| ids.len() == 1).map(|ids| ids[0]),
            context: model.context_length(),
        }
    }
}

/// Refuses settings by which nothing can be learned from so many rows.
pub(super) fn learns(plan: &Plan, rows: usize) -> Result<()> {
    match diapason_train::run::idle(&plan.config.train, rows) {
        Some(problem) => Err(refuse(&plan.text, &plan.name, &[problem])),
        None => Ok(()),
    }
}

/// Refuses rows that teach nothing or teach something wrong; cuts or drops those that are too long, if the configuration
/// says so, and reports each. Gives the rows that are left with their numbers. `names` say where the rows stand.
pub(super) fn check(
    examples: Vec<Example>,
    names: &[String],
    config: &Train,
    facts: &Facts,
    sink: &dyn Sink,
) -> Result<Vec<(usize, Example)>> {
    let rows = fit(examples, names, config, facts, sink)?;
    let faulty = |test: &dyn Fn(&Example) -> bool| -> Vec<&str> {
        rows.iter().filter(|(_, example)| test(example)).map(|(row, _)| names[*row].as_str()).collect()
    };
    let silent = faulty(&|example| !example.learn.iter().skip(1).any(|learn| *learn));
    if !silent.is_empty() {
        return Err(Error::data(format!("nothing can be learned from {}", listed(&silent)))
            .hint("is the answer empty? does the chat template mark what the assistant says?"));
    }
    let doubled = faulty(&|example| {
        facts.begin.is_some() && example.ids.get(..2) == facts.begin.map(|id| [id; 2]).as_ref().map(|ids| &ids[..])
    });
    if !doubled.is_empty() {
        return Err(Error::data(format!(
            "the beginning-of-text token occurs twice at the start of {}",
            listed(&doubled)
        ))
        .hint("the chat template writes it already: take it out of the template or of the data"));
    }
    check_stop(&rows, facts)?;
    Ok(rows)
}

/// Refuses data that never teaches the model to stop.
fn check_stop(rows: &[(usize, Example)], facts: &Facts) -> Result<()> {
    let learned = |example: &Example| {
        let tokens = example.ids.iter().zip(&example.learn);
        tokens.into_iter().any(|(id, learn)| *learn && facts.stop_ids.contains(id))
    };
    if facts.stop_ids.is_empty() || rows.iter().any(|(_, example)| learned(example)) {
        return Ok(());
    }
    Err(Error::data("no row teaches the model to stop: no trained token is a stop token").hint(
        "the chat template must end each answer with a stop token, inside of what it marks as the assistant's; \
         `diapason train --show 3` prints what is learned",
    ))
}

fn fit(
    examples: Vec<Example>,
    names: &[String],
    config: &Train,
    facts: &Facts,
    sink: &dyn Sink,
) -> Result<Vec<(usize, Example)>> {
    let limit = config.max_sequence_length.min(facts.context);
    let described = |row: usize, example: &Example| format!("{} ({})", names[row], counted(example.ids.len(), "token"));
    let long: Vec<String> = (0..)
        .zip(&examples)
        .filter(|(_, example)| example.ids.len() > limit)
        .map(|(row, example)| described(row, example))
        .collect();
    if long.is_empty() {
        return Ok(examples.into_iter().enumerate().collect());
    }
    let (count, shown) = (long.len(), shortened(&long));
    let rows = if count == 1 { "1 row has".into() } else { format!("{count} rows have") };
    if config.overlong == Overlong::Refuse {
        let hint = match limit < config.max_sequence_length {
            true => {
                "that is the model's context length; set `train.overlong` to `truncate` or `drop`, or shorten these rows"
            }
            false => "raise `train.max_sequence_length`, or set `train.overlong` to `truncate` or `drop`",
        };
        return Err(Error::data(format!("{rows} more than {}: {shown}", counted(limit, "token"))).hint(hint));
    }
    let cut = |mut example: Example| {
        example.ids.truncate(limit);
        example.learn.truncate(limit);
        // A row whose answer was cut away whole teaches nothing.
        Some(example).filter(|example| example.learn.iter().skip(1).any(|learn| *learn))
    };
    let keep = |example: Example| match example.ids.len() > limit {
        true if config.overlong == Overlong::Truncate => cut(example),
        true => None,
        false => Some(example),
    };
    let kept: Vec<(usize, Example)> =
        (0..).zip(examples).filter_map(|(row, example)| Some((row, keep(example)?))).collect();
    let dropped = names.len() - kept.len();
    let tokens = counted(limit, "token");
    let what = format!("{rows} more than {tokens}, {} truncated, {dropped} dropped: {shown}", count - dropped);
    sink.emit(&Event::Warning { message: what });
    match kept.is_empty() {
        true => Err(Error::data("no row is left").hint("raise `train.max_sequence_length`")),
        false => Ok(kept),
    }
}

fn listed(names: &[&str]) -> String {
    shortened(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
}

fn shortened(names: &[String]) -> String {
    let shown = names.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} … and {more} more"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    const STOP: u32 = 9;

    fn row(ids: &[u32], learned: usize) -> Example {
        Example { ids: ids.to_vec(), learn: (0..ids.len()).map(|i| i >= ids.len() - learned).collect() }
    }

    fn checked(rows: &[Example], overlong: Overlong) -> (Result<Vec<(usize, Example)>>, Vec<String>) {
        let facts = Facts { stop_ids: vec![STOP], begin: Some(1), context: 100 };
        let config = Train { overlong, max_sequence_length: 6, ..Train::default() };
        let names: Vec<String> = (1..=rows.len()).map(|line| format!("line {line} of t.jsonl")).collect();
        let said = Mutex::new(Vec::new());
        let sink = |event: &Event| {
            if let Event::Warning { message } = event {
                said.lock().unwrap().push(message.clone());
            }
        };
        let result = check(rows.to_vec(), &names, &config, &facts, &sink);
        (result, said.into_inner().unwrap())
    }

    #[track_caller]
    fn refused(rows: &[Example], message: &str) {
        let (result, _) = checked(rows, Overlong::Refuse);
        let error = result.unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.hint_text().is_some());
    }

    #[test]
    fn good_rows_pass() {
        let rows = [row(&[1, 2, 3, STOP], 2), row(&[1, 4, 5, 6], 2)];
        let (kept, said) = checked(&rows, Overlong::Refuse);
        assert_eq!(kept.unwrap(), [(0, rows[0].clone()), (1, rows[1].clone())]);
        assert!(said.is_empty());
    }

    #[test]
    fn faults_are_refused() {
        let good = row(&[1, 2, STOP], 1);
        refused(&[good.clone(), row(&[1, 2, 3], 0)], "nothing can be learned from line 2 of t.jsonl");
        refused(&[good.clone(), row(&[1, 1, 2, STOP], 1)], "occurs twice at the start of line 2 of t.jsonl");
        refused(&[row(&[1, 2, 3], 1), row(&[1, STOP, 3], 1)], "no row teaches the model to stop");
        refused(
            &[good, row(&[1, 2, 3, 4, 5, 6, STOP], 1)],
            "1 row has more than 6 tokens: line 2 of t.jsonl (7 tokens)",
        );
    }

    #[test]
    fn long_rows_are_cut_or_dropped_and_reported() {
        let rows = [row(&[1, 2, STOP], 1), row(&[1, 2, 3, 4, 5, 6, 7, STOP], 4), row(&[1, 2, 3, 4, 5, 6, STOP], 1)];
        let (kept, said) = checked(&rows, Overlong::Truncate);
        let kept = kept.unwrap();
        assert_eq!(kept.iter().map(|(row, example)| (*row, example.ids.len())).collect::<Vec<_>>(), [(0, 3), (1, 6)]);
        assert_eq!(
            said,
            ["2 rows have more than 6 tokens, 1 truncated, 1 dropped: line 2 of t.jsonl (8 tokens), \
              line 3 of t.jsonl (7 tokens)"]
        );
        let (kept, said) = checked(&rows, Overlong::Drop);
        assert_eq!(kept.unwrap().len(), 1);
        assert!(said[0].contains("0 truncated, 2 dropped"));
        let (kept, _) = checked(&rows[2..], Overlong::Drop);
        assert!(kept.unwrap_err().to_string().contains("no row is left"));
    }
}
