//! What a JSON Schema cannot say of `diapason.toml`: names that refer to each other.

use super::nearest::did_you_mean;
use super::problems::Problem;
use super::{Config, Plugin, Rule, Suite, TARGETS};
use std::collections::BTreeSet;

/// All problems of `config`, in the order of the file's sections.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    device(config, &mut found);
    targets(config, &mut found);
    suites(&config.suites, &mut found);
    for (index, rule) in config.rules.iter().enumerate() {
        self::rule(rule, &format!("/rule/{index}"), &config.suites, &mut found);
    }
    found
}

fn problem(pointer: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem { pointer: pointer.into(), message: message.into(), hint: Some(hint.into()) }
}

fn device(config: &Config, found: &mut Vec<Problem>) {
    let name = config.model.device.as_str();
    let cuda = name.strip_prefix("cuda:").is_some_and(|index| index.parse::<usize>().is_ok());
    if !(cuda || name == "auto" || name == "cpu") {
        found.push(problem("/model/device", format!("unknown device `{name}`"), "one of auto, cpu, cuda:N"));
    }
}

fn targets(config: &Config, found: &mut Vec<Problem>) {
    for (index, name) in config.train.target_modules.iter().enumerate() {
        if !TARGETS.contains(&name.as_str()) {
            let hint = format!("{}; known: {}", did_you_mean(name, TARGETS), TARGETS.join(", "));
            let hint = hint
                .rsplit_once("known: ")
                .filter(|_| hint.starts_with("known"))
                .map_or(hint.clone(), |(_, all)| format!("known: {all}"));
            found.push(problem(format!("/train/target_modules/{index}"), format!("unknown layer `{name}`"), hint));
        }
    }
}

fn suites(suites: &[Suite], found: &mut Vec<Problem>) {
    let mut names = BTreeSet::new();
    for (index, suite) in suites.iter().enumerate() {
        let at = format!("/suite/{index}");
        if suite.name.is_empty() {
            found.push(problem(format!("{at}/name"), "a suite needs a name", "rules and the report use it"));
        }
        if suite.name == "train" {
            found.push(problem(format!("{at}/name"), "`train` is the training data's name", "choose another name"));
        }
        if !names.insert(&suite.name) {
            let message = format!("the name `{}` is used twice", suite.name);
            found.push(problem(format!("{at}/name"), message, "rules refer to suites by name: give each its own"));
        }
        evaluators(&suite.evaluators, &at, found);
    }
}

fn evaluators(plugins: &[Plugin], at: &str, found: &mut Vec<Problem>) {
    let mut labels = BTreeSet::new();
    for (index, plugin) in plugins.iter().enumerate() {
        let label = plugin.name.as_ref().unwrap_or(&plugin.plugin);
        if !labels.insert(label) {
            let message = format!("`{label}` is used twice in this suite");
            found.push(problem(format!("{at}/evaluator/{index}"), message, "give one of them another `name`"));
        }
    }
}

fn rule(rule: &Rule, at: &str, suites: &[Suite], found: &mut Vec<Problem>) {
    let known = suites.iter().map(|suite| suite.name.as_str());
    if !suites.iter().any(|suite| suite.name == rule.suite) {
        let message = format!("unknown suite `{}`", rule.suite);
        found.push(problem(format!("{at}/suite"), message, did_you_mean(&rule.suite, known)));
    }
    if [rule.minimum, rule.maximum, rule.margin, rule.gain].iter().all(Option::is_none) {
        let hint = "add at least one of `minimum`, `maximum`, `margin`, `gain`";
        found.push(problem(at, "a rule without a condition", hint));
    }
    if let (Some(low), Some(high)) = (rule.minimum, rule.maximum)
        && low > high
    {
        let message = format!("minimum {low} is above maximum {high}");
        found.push(problem(format!("{at}/minimum"), message, "no level can be both"));
    }
}
