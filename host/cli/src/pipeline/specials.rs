//! Special tokens that stand in the rows' texts: a turn that a text ends early, an image that nobody gave.

use super::Session;
use super::split::Split;
use crate::wire::Literal;
use diapason_core::config::SpecialTokens;
use diapason_core::finding::{Finding, Severity};
use diapason_core::sample::{Message, Sample};
use diapason_models::Model;

/// One finding for each row with a special token of `model`, unless the configuration takes them for text.
pub(super) fn findings<'a>(session: &Session, model: &Model, splits: impl Iterator<Item = &'a Split>) -> Vec<Finding> {
    let config = &session.plan.config;
    if config.template.special_tokens_in_text == SpecialTokens::Literal {
        return Vec::new();
    }
    let literal = Literal::new(model.specials());
    let found = |split: &'a Split| {
        let rows = split.readable();
        rows.filter_map(|(line, sample)| of(&literal, split, line, sample)).collect::<Vec<_>>()
    };
    splits.flat_map(found).collect()
}

fn of(literal: &Literal, split: &Split, line: u32, sample: &Sample) -> Option<Finding> {
    let turns = sample.messages.iter().chain(&sample.answer).enumerate();
    let special = |message: &'_ Message| {
        literal.find(&message.content).or_else(|| message.extra.values().find_map(|value| literal.find_in(value)))
    };
    let in_turn = turns
        .into_iter()
        .find_map(|(turn, message)| Some((format!("the text of turn {turn} ({})", message.role), special(message)?)));
    let beside = || {
        let tools = sample.tools.iter().map(|tools| ("`tools`".to_owned(), tools));
        let variables = sample.variables.iter().map(|(name, value)| (format!("`{name}`"), value));
        tools.chain(variables).find_map(|(place, value)| Some((place, literal.find_in(value)?)))
    };
    let (place, special) = in_turn.or_else(beside)?;
    Some(Finding {
        validator: "diapason".into(),
        severity: Severity::Warning,
        rule: "special-token-in-text".into(),
        split: split.name.clone(),
        line,
        path: String::new(),
        message: format!("{place} contains `{special}`, which the tokenizer reads as a special token"),
        hint: "set `special_tokens_in_text = \"literal\"` under `[template]` to encode it as text, or take it out"
            .into(),
    })
}
