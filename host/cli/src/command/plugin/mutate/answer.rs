//! Changes to the text of an answer, and to likelihoods.

use super::{Mutation, Plant};
use diapason_core::language_model::Likelihood;

const fn text(name: &'static str, plant: fn(&str) -> Vec<String>) -> Mutation {
    Mutation { name, plant: Plant::Text(plant) }
}

/// Changes to any text.
pub(super) const ALL: [Mutation; 21] = [
    text("digit changed", digit_changed),
    text("digit added", digit_added),
    text("sign turned", sign_turned),
    text("expression", expression),
    text("unit swapped", unit_swapped),
    text("name swapped", name_swapped),
    text("word swapped", word_swapped),
    text("negated", negated),
    text("quotation changed", quotation_changed),
    text("cut off", cut_off),
    text("emptied", |_| vec![String::new()]),
    text("refused", |_| vec!["I do not know.".to_owned()]),
    text("repeated 20 times", |text| vec![format!("{text} ").repeat(20)]),
    text("cut off in its reasoning", |text| vec![format!("<think>It is {text}")]),
    text("white space", |text| vec![format!("\n  {text}\n"), format!("{text} ")]),
    text("reasoning before it", |text| {
        vec![format!("<think>\nLet me see: 1, 2, [3].\n</think>\n\n{text}"), format!("Let me see.\n</think>\n{text}")]
    }),
    text("sentences around it", |text| {
        vec![format!("Here is what was asked for: {text}"), format!("{text}\nI hope that helps.")]
    }),
    text("letter case", |text| vec![text.to_uppercase()]),
    text("full stop", |text| vec![format!("{text}.")]),
    text("article", |text| vec![format!("the {text}")]),
    text("digits grouped", digits_grouped),
];

/// Changes to likelihoods.
pub(super) const LIKELIHOODS: [Mutation; 2] = [
    Mutation { name: "likelihoods swapped", plant: Plant::Likelihoods(likelihoods_swapped) },
    Mutation { name: "likelihoods doubled", plant: Plant::Likelihoods(likelihoods_doubled) },
];

/// Start and end of the last run of digits, with its separators.
fn last_number(text: &str) -> Option<(usize, usize)> {
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let inside = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let start = text[..end]
        .rfind(|c: char| !inside(c))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    Some((start, end))
}

/// The first and the last digit of the last number, each raised by one.
fn digit_changed(text: &str) -> Vec<String> {
    let Some((start, end)) = last_number(text) else { return Vec::new() };
    let places = [text[start..end].find(|c: char| c.is_ascii_digit()).map(|at| start + at), Some(end - 1)];
    let mut places: Vec<usize> = places.into_iter().flatten().collect();
    places.dedup();
    let raised = |at: usize| {
        let digit = (text.as_bytes()[at] - b'0' + 1) % 10;
        format!("{}{digit}{}", &text[..at], &text[at + 1..])
    };
    places.into_iter().map(raised).collect()
}

fn digit_added(text: &str) -> Vec<String> {
    last_number(text).map(|(start, _)| format!("{}3{}", &text[..start], &text[start..])).into_iter().collect()
}

fn sign_turned(text: &str) -> Vec<String> {
    let Some((start, _)) = last_number(text) else { return Vec::new() };
    let (before, number) = text.split_at(start);
    let before_currency = before.trim_end_matches(['$', '€', '£']);
    let currency = &before[before_currency.len()..];
    vec![match before_currency.strip_suffix(['-', '−']) {
        Some(before) => format!("{before}{currency}{number}"),
        None => format!("{before_currency}-{currency}{number}"),
    }]
}

/// The last number as a part of something longer.
fn expression(text: &str) -> Vec<String> {
    let Some((start, end)) = last_number(text) else { return Vec::new() };
    let (before, number, after) = (&text[..start], &text[start..end], &text[end..]);
    ["7/", "9 + ", "2 × 10^", "4-", "3, ", "8 or "]
        .iter()
        .map(|part| format!("{before}{part}{number}{after}"))
        .collect()
}

fn unit_swapped(text: &str) -> Vec<String> {
    const UNITS: [(&str, &str); 8] = [
        (" km", " kg"),
        (" kg", " km"),
        (" m", " s"),
        (" minutes", " hours"),
        (" hours", " minutes"),
        ("$", "€"),
        (" million", " billion"),
        (" g", " km"),
    ];
    let whole = |unit: &str| {
        let found = text.find(unit)?;
        let ends = !text[found + unit.len()..].starts_with(char::is_alphabetic) || unit == "$";
        ends.then_some(found)
    };
    let swap =
        |(from, to): &(&str, &str)| whole(from).map(|at| format!("{}{to}{}", &text[..at], &text[at + from.len()..]));
    UNITS.iter().find_map(swap).into_iter().collect()
}

/// Words of letters as byte ranges.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, character) in text.char_indices().filter(|(_, character)| character.is_alphabetic()) {
        match found.last_mut() {
            Some((_, end)) if *end == at => *end += character.len_utf8(),
            _ => found.push((at, at + character.len_utf8())),
        }
    }
    found
}

fn put(text: &str, (start, end): (usize, usize), word: &str) -> String {
    format!("{}{word}{}", &text[..start], &text[end..])
}

/// The last name (a capitalised word of three letters or more) becomes another.
fn name_swapped(text: &str) -> Vec<String> {
    let name = |(start, end): &(usize, usize)| {
        let word = &text[*start..*end];
        word.starts_with(char::is_uppercase) && word.chars().count() > 2 && !word.chars().all(char::is_uppercase)
    };
    words(text).into_iter().rfind(name).map(|place| put(text, place, "Nairobi")).into_iter().collect()
}

/// The longest word becomes another.
fn word_swapped(text: &str) -> Vec<String> {
    let longest = words(text).into_iter().rev().max_by_key(|(start, end)| end - start);
    longest.map(|place| put(text, place, "velvet")).into_iter().collect()
}

/// `not` after the first verb that takes it, or the opposite of a yes or no.
fn negated(text: &str) -> Vec<String> {
    const OPPOSITES: [(&str, &str); 6] =
        [("Yes", "No"), ("No", "Yes"), ("yes", "no"), ("no", "yes"), ("true", "false"), ("false", "true")];
    const VERBS: [&str; 9] = ["is", "are", "was", "were", "has", "have", "can", "will", "does"];
    for place in words(text) {
        let word = &text[place.0..place.1];
        if let Some((_, opposite)) = OPPOSITES.iter().find(|(known, _)| *known == word) {
            return vec![put(text, place, opposite)];
        }
        if VERBS.contains(&word) {
            return vec![put(text, place, &format!("{word} not"))];
        }
    }
    Vec::new()
}

/// Another word inside the first quotation.
fn quotation_changed(text: &str) -> Vec<String> {
    let Some((open, close)) = text.find('"').and_then(|open| Some((open, open + 1 + text[open + 1..].find('"')?)))
    else {
        return Vec::new();
    };
    let inside = words(text).into_iter().rfind(|(start, end)| *start > open && *end <= close);
    inside.map(|place| put(text, place, "velvet")).into_iter().collect()
}

/// The first half.
fn cut_off(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.trim_end().chars().collect();
    if characters.len() < 2 { Vec::new() } else { vec![characters[..characters.len() / 2].iter().collect()] }
}

/// `1234567` as `1,234,567`: the last number, if it is a whole one of four digits or more.
fn digits_grouped(text: &str) -> Vec<String> {
    let Some((start, end)) = last_number(text) else { return Vec::new() };
    let digits = &text[start..end];
    if digits.len() < 4 || digits.contains(['.', ',']) {
        return Vec::new();
    }
    let grouped = |separator: &str| {
        let first = digits.len() % 3;
        let mut groups = vec![&digits[..first]];
        groups.extend((first..digits.len()).step_by(3).map(|at| &digits[at..at + 3]));
        let groups: Vec<&str> = groups.into_iter().filter(|group| !group.is_empty()).collect();
        format!("{}{}{}", &text[..start], groups.join(separator), &text[end..])
    };
    vec![grouped(","), grouped("\u{202f}")]
}

/// The likeliest and the least likely change places.
fn likelihoods_swapped(given: &[Likelihood]) -> Vec<Vec<Likelihood>> {
    let by = |one: &(usize, &Likelihood), other: &(usize, &Likelihood)| one.1.logprob.total_cmp(&other.1.logprob);
    let indexed = || given.iter().enumerate();
    let (Some((most, _)), Some((least, _))) = (indexed().max_by(by), indexed().min_by(by)) else { return Vec::new() };
    let mut swapped = given.to_vec();
    (swapped[most].logprob, swapped[least].logprob) = (given[least].logprob, given[most].logprob);
    vec![swapped]
}

/// Every probability squared, which keeps their order.
fn likelihoods_doubled(given: &[Likelihood]) -> Vec<Vec<Likelihood>> {
    let doubled = |one: &Likelihood| Likelihood { logprob: one.logprob * 2.0, ..*one };
    if given.is_empty() { Vec::new() } else { vec![given.iter().map(doubled).collect()] }
}
