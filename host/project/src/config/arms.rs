//! What a JSON Schema cannot say of `[[arm]]`, `[[compare]]` and of the arms that rules name.

use diapason_core::arm::Arm as Name;
use diapason_core::config::{Arm, Choose, Config, Endpoint, Examples};
use diapason_core::schema::{Problem, did_you_mean};
use std::collections::BTreeSet;

/// All problems with arms.
pub(super) fn problems(config: &Config, found: &mut Vec<Problem>) {
    let mut names = BTreeSet::new();
    for (index, arm) in config.arms.iter().enumerate() {
        let at = format!("/arm/{index}");
        name(arm, &at, &mut names, found);
        source(arm, config, &at, found);
        arm.examples.iter().for_each(|examples| self::examples(examples, config, &format!("{at}/examples"), found));
        arm.endpoint.iter().for_each(|endpoint| self::endpoint(endpoint, arm, &format!("{at}/endpoint"), found));
    }
    model(config, found);
    let known = config.arms().all;
    for (index, pair) in config.comparisons.iter().enumerate() {
        both(&pair.arm, &pair.against, true, &known, &format!("/compare/{index}"), found);
    }
    for (index, rule) in config.rules.iter().enumerate() {
        let paired = rule.margin.is_some() || rule.gain.is_some();
        both(&rule.arm, &rule.against, paired, &known, &format!("/rule/{index}"), found);
    }
}

fn name<'a>(arm: &'a Arm, at: &str, names: &mut BTreeSet<&'a str>, found: &mut Vec<Problem>) {
    let at = format!("{at}/name");
    if ["base", "tuned"].contains(&arm.name.as_str()) {
        let message = format!("`{}` is there without being configured", arm.name);
        found.push(problem(at, message, "choose another name: `base` is `[model]`, `tuned` is what is trained on it"));
    } else if !names.insert(&arm.name) {
        let message = format!("two arms are named `{}`", arm.name);
        found.push(problem(at, message, "rules and files refer to arms by name: give each its own"));
    }
}

/// What answers: exactly one of a model here, a server and a file.
fn source(arm: &Arm, config: &Config, at: &str, found: &mut Vec<Problem>) {
    let asked = [
        ("examples", arm.examples.is_some()),
        ("retrieve", arm.retrieve.is_some()),
        ("adapter", arm.adapter.is_some()),
        ("model", arm.model.is_some()),
        ("endpoint", arm.endpoint.is_some()),
    ];
    let given: Vec<&str> = asked.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect();
    if arm.outputs.is_some() {
        for key in &given {
            let message = format!("`{key}` would be ignored: the answers of `outputs` were made already");
            found.push(problem(format!("{at}/{key}"), message, "remove it, or make an arm of its own of it"));
        }
    } else if given.is_empty() {
        let hint = "give it `examples`, `retrieve`, `adapter`, `model`, `endpoint` or `outputs`";
        found.push(problem(at, format!("arm `{}` is the base model once more", arm.name), hint));
    }
    for key in ["adapter", "model"].into_iter().filter(|key| arm.endpoint.is_some() && given.contains(key)) {
        let message = format!("`{key}` would be ignored: a server answers");
        found.push(problem(format!("{at}/{key}"), message, "remove it, or remove `endpoint`"));
    }
    if arm.template.is_some() && arm.model.is_none() {
        let hint = "remove it, or set `template.template` for the base and all arms on it";
        found.push(problem(format!("{at}/template"), "`template` is the chat template of an arm's own `model`", hint));
    }
    if arm.is_local() && arm.model.is_none() && config.model.is_none() {
        let message = format!("arm `{}` needs a base model, and the project has no `[model]`", arm.name);
        found.push(problem(at, message, "add `[model]`, or give the arm a `model` or an `endpoint`"));
    }
}

fn examples(examples: &Examples, config: &Config, at: &str, found: &mut Vec<Problem>) {
    if examples.from_training() && config.data.is_none() {
        let hint = "name a file of rows, or add `[data]` with `train`";
        found.push(problem(format!("{at}/from"), "there is no training data to take examples from", hint));
    }
    match (examples.choose, &examples.tag) {
        (Choose::Tag, None) => {
            let hint = "`tag = \"topic\"` takes examples with the row's value of the tag `topic`";
            found.push(problem(format!("{at}/choose"), "`choose = \"tag\"` needs a `tag`", hint));
        }
        (Choose::Seed | Choose::Similarity, Some(_)) => {
            let hint = "remove it, or set `choose = \"tag\"`";
            found.push(problem(format!("{at}/tag"), "would be ignored: examples are not chosen by tag", hint));
        }
        _ => {}
    }
}

fn endpoint(endpoint: &Endpoint, arm: &Arm, at: &str, found: &mut Vec<Problem>) {
    if !(endpoint.url.starts_with("http://") || endpoint.url.starts_with("https://")) {
        let hint = "for example http://127.0.0.1:8000/v1";
        found.push(problem(format!("{at}/url"), format!("`{}` is no address of a server", endpoint.url), hint));
    }
    let host = endpoint.url.split("://").nth(1).unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        let hint = "a configuration is no place for secrets, and reports show it: name the variable of the environment \
                    that has the token as `token_variable`";
        found.push(problem(format!("{at}/url"), "the address has a user's name or password in it", hint));
    }
    let priced = arm.price.as_ref().is_some_and(|price| price.prompt_million.or(price.completion_million).is_some());
    if endpoint.budget.cost.is_some() && !priced {
        let hint = "add `price = { prompt_million = …, completion_million = … }` to the arm";
        found.push(problem(format!("{at}/budget/cost"), "a budget of money needs prices", hint));
    }
}

fn model(config: &Config, found: &mut Vec<Problem>) {
    if config.model.is_some() {
        return;
    }
    let hint = "add `[model]` with `path`, a safetensors folder or a GGUF file";
    if config.data.is_some() {
        found.push(problem("/data", "there is no `[model]` to train", hint));
    }
    if config.arms.is_empty() {
        let hint = format!("{hint}; or add an `[[arm]]` with an `endpoint` or `outputs`");
        found.push(problem("", "there is no model and no arm to evaluate", hint));
    }
}

fn both(arm: &Name, against: &Name, paired: bool, known: &[Name], at: &str, found: &mut Vec<Problem>) {
    let named = [("arm", arm, true), ("against", against, paired)];
    for (key, name, _) in named.into_iter().filter(|(_, name, used)| *used && !known.contains(name)) {
        let hint = match key {
            _ if known.is_empty() => "there is none".into(),
            "arm" if name.is_tuned() => {
                format!("`arm` is `tuned` by default, and nothing is trained: name one of {}", list(known))
            }
            "against" if name.is_base() => format!("`against` is `base` by default: name one of {}", list(known)),
            _ => did_you_mean(name.as_str(), known.iter().map(Name::as_str)),
        };
        found.push(problem(format!("{at}/{key}"), format!("there is no arm `{name}`"), hint));
    }
    if paired && arm == against {
        let message = format!("`{arm}` is held against itself");
        found.push(problem(format!("{at}/against"), message, "name two arms"));
    }
}

fn list(known: &[Name]) -> String {
    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn problem(pointer: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem { pointer: pointer.into(), message: message.into(), hint: Some(hint.into()) }
}
