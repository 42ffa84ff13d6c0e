//! Arms in words: their names in sentences, what each of them is, and whether two of them are all there is.

use diapason_core::arm::{Arm, Contrast};
use diapason_core::compare::Comparison;
use diapason_core::config::{self, Choose, Config, Endpoint, Examples, Retrieve};

/// The two arms of a comparison that has no others: they fit into two columns.
pub(crate) fn only_two(comparison: &Comparison) -> Option<&Contrast> {
    match (comparison.arms.len(), comparison.contrasts.as_slice()) {
        (2, [contrast]) => Some(contrast),
        _ => None,
    }
}

/// An arm at the beginning of a sentence. A name that somebody gave stays as it was given.
pub(crate) fn capital(arm: &Arm) -> &str {
    if arm.is_base() {
        "Base"
    } else if arm.is_tuned() {
        "Tuned"
    } else {
        arm.as_str()
    }
}

/// How an arm is drawn: `base`, `tuned` or `other`.
pub(crate) fn look(arm: &Arm) -> &'static str {
    if arm.is_base() {
        "base"
    } else if arm.is_tuned() {
        "tuned"
    } else {
        "other"
    }
}

/// What answers: `the tuned model`, `arm few-shot`.
pub(crate) fn who(arm: &Arm) -> String {
    if arm.is_base() || arm.is_tuned() { format!("the {arm} model") } else { format!("arm {arm}") }
}

/// The difference of two arms: `tuned − base`.
pub(crate) fn difference(contrast: &Contrast) -> String {
    format!("{} − {}", contrast.candidate, contrast.reference)
}

/// The same at the beginning of a sentence.
pub(crate) fn capital_difference(contrast: &Contrast) -> String {
    format!("{} − {}", capital(&contrast.candidate), contrast.reference)
}

/// Names in a row: `base, tuned and few-shot`.
pub(crate) fn listed(arms: &[Arm]) -> String {
    match arms {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] => {
            format!("{} and {last}", first.iter().map(Arm::as_str).collect::<Vec<_>>().join(", "))
        }
    }
}

/// What an arm is: `base with 5 examples of the training data`, `support-bot at 127.0.0.1:8000`.
pub(crate) fn described(config: &Config, arm: &Arm) -> String {
    match config.arm(arm) {
        Some(own) => configured(own),
        None if arm.is_tuned() => tuned(config),
        None => config.model.as_ref().map_or_else(String::new, |base| base.path.display().to_string()),
    }
}

/// How the tuned model came to be.
pub(crate) fn tuned(config: &Config) -> String {
    match config.adapter() {
        Some(path) => format!("{}, given", path.display()),
        None => "trained in this run".into(),
    }
}

/// What the tuned model consists of.
pub(crate) fn tuned_kind(config: &Config) -> &'static str {
    if config.adapter().is_some() || config.train.method.is_adapter() { "Adapter" } else { "Tuned model" }
}

fn configured(arm: &config::Arm) -> String {
    let endpoint = arm.endpoint.as_ref().map(served);
    let outputs = arm.outputs.as_ref().map(|file| format!("answers of {}", file.display()));
    let asked = endpoint.or(outputs).unwrap_or_else(|| local(arm));
    let prompt = [arm.examples.as_ref().map(examples), arm.retrieve.as_ref().map(passages)];
    let prompt: Vec<String> = prompt.into_iter().flatten().collect();
    if prompt.is_empty() { asked } else { format!("{asked} with {}", prompt.join(" and ")) }
}

fn local(arm: &config::Arm) -> String {
    let model = arm.model.as_ref().map(|path| format!("model {}", path.display()));
    let adapter = arm.adapter.as_ref().map(|path| format!("adapter {}", path.display()));
    match (model, adapter) {
        (Some(model), Some(adapter)) => format!("{model}, {adapter}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "base".into(),
    }
}

/// The server by its host alone: an address may carry what is nobody's business.
fn served(endpoint: &Endpoint) -> String {
    let rest = endpoint.url.split_once("://").map_or(endpoint.url.as_str(), |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{} at {host}", endpoint.model)
}

fn examples(examples: &Examples) -> String {
    let Examples { count, from, .. } = examples;
    let noun = if *count == 1 { "example" } else { "examples" };
    let from = if examples.from_training() { "the training data".into() } else { from.display().to_string() };
    let chosen = match (examples.choose, &examples.tag) {
        (Choose::Seed, _) => String::new(),
        (Choose::Tag, Some(tag)) => format!(", chosen by tag {tag}"),
        (Choose::Tag, None) => ", chosen by tag".into(),
        (Choose::Similarity, _) => ", chosen by similarity".into(),
    };
    format!("{count} {noun} of {from}{chosen}")
}

fn passages(retrieve: &Retrieve) -> String {
    let noun = if retrieve.top == 1 { "passage" } else { "passages" };
    format!("the top {} {noun} of {}", retrieve.top, retrieve.folder.display())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use diapason_project::config;
    use std::path::Path;

    #[test]
    fn every_kind_of_arm_says_what_it_is() {
        let written = r#"
[model]
path = "models/small"
[data]
train = "train.jsonl"
[[suite]]
name = "s"
data = "s.jsonl"
evaluator = [{ plugin = "eval-accuracy" }]
[[arm]]
name = "few-shot"
examples = { from = "train", count = 5 }
[[arm]]
name = "alike"
examples = { from = "more.jsonl", count = 1, choose = "similarity" }
retrieve = { folder = "handbook", top = 3 }
[[arm]]
name = "v2"
adapter = "adapters/v2"
[[arm]]
name = "other"
model = "models/other"
[[arm]]
name = "production"
endpoint = { url = "http://127.0.0.1:8000/v1", model = "support-bot" }
[[arm]]
name = "yesterday"
outputs = "yesterday.jsonl"
"#;
        let config = config::parse(written, "diapason.toml", Path::new("")).unwrap();
        let said = |name: &str| described(&config, &Arm::from(name));
        assert_eq!(said("base"), "models/small");
        assert_eq!(said("tuned"), "trained in this run");
        assert_eq!(said("few-shot"), "base with 5 examples of the training data");
        let both = "base with 1 example of more.jsonl, chosen by similarity and the top 3 passages of handbook";
        assert_eq!(said("alike"), both);
        assert_eq!(said("v2"), "adapter adapters/v2");
        assert_eq!(said("other"), "model models/other");
        assert_eq!(said("production"), "support-bot at 127.0.0.1:8000");
        assert_eq!(said("yesterday"), "answers of yesterday.jsonl");
    }

    #[test]
    fn names_read_well_in_sentences() {
        let few = Arm::from("few-shot");
        assert_eq!((capital(&Arm::tuned()), capital(&few)), ("Tuned", "few-shot"));
        assert_eq!((who(&Arm::base()), who(&few)), ("the base model".into(), "arm few-shot".into()));
        assert_eq!(listed(&[Arm::base(), Arm::tuned(), few.clone()]), "base, tuned and few-shot");
        assert_eq!((listed(&[few]), listed(&[])), ("few-shot".into(), String::new()));
    }
}
