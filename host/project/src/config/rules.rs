//! What a JSON Schema cannot say of `diapason.toml`: names that refer to each other.

use super::{arms, watched};
use crate::dataset::task;
use diapason_core::config::{Config, Method, Plugin, Rule, Schedule, Suite, TARGETS, Train};
use diapason_core::schema::{Problem, did_you_mean};
use std::collections::BTreeSet;

/// All problems of `config`, in the order of the file's sections.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    names(config, &mut found);
    device(config, &mut found);
    targets(config, &mut found);
    training(config, &mut found);
    suites(&config.suites, &mut found);
    if config.data.as_ref().is_some_and(|data| task::is_task(&data.train)) {
        let hint = "rows are JSONL, JSON, Parquet, CSV or TSV; a task is a suite's";
        found.push(problem("/data/train", "a YAML file is no dataset", hint));
    }
    variables(&config.suites, &mut found);
    for (index, validator) in config.validators.iter().enumerate() {
        if !validator.bounds.is_empty() {
            let at = format!("/validator/{index}/bounds");
            found.push(problem(at, "a validator has no measures", "bounds belong to a suite's evaluators"));
        }
    }
    for (index, rule) in config.rules.iter().enumerate() {
        self::rule(rule, &format!("/rule/{index}"), &config.suites, &mut found);
    }
    arms::problems(config, &mut found);
    watched::problems(config, &mut found);
    found
}

fn problem(pointer: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem { pointer: pointer.into(), message: message.into(), hint: Some(hint.into()) }
}

/// Names are shown in lists and tables, one to a line: a control character in one could make another line, or hide it.
fn names(config: &Config, found: &mut Vec<Problem>) {
    let mut check = |pointer: String, name: &str| {
        if let Some(control) = name.chars().find(|c| c.is_control() || diapason_core::escape::is_hidden(*c)) {
            let message = format!("the name holds the control character U+{:04X}", control as u32);
            found.push(problem(pointer, message, "names are one line of ordinary characters"));
        }
    };
    check("/run/name".into(), &config.run.name);
    for (index, suite) in config.suites.iter().enumerate() {
        check(format!("/suite/{index}/name"), &suite.name);
        for (number, plugin) in suite.evaluators.iter().enumerate() {
            let name = plugin.name.as_deref().unwrap_or_default();
            check(format!("/suite/{index}/evaluator/{number}/name"), name);
        }
    }
    for (index, validator) in config.validators.iter().enumerate() {
        check(format!("/validator/{index}/name"), validator.name.as_deref().unwrap_or_default());
    }
}

/// Variables of the template that are not a suite's to set, and values that rows cannot have either.
fn variables(suites: &[Suite], found: &mut Vec<Problem>) {
    for (index, suite) in suites.iter().enumerate() {
        for name in suite.template_variables.keys().filter(|name| diapason_rows::RESERVED.contains(&name.as_str())) {
            let hint = "settings of the template are the same for all suites and stand in `template.settings`";
            let message = format!("`{name}` is not a suite's to set");
            found.push(problem(format!("/suite/{index}/template_variables/{name}"), message, hint));
        }
    }
}

fn device(config: &Config, found: &mut Vec<Problem>) {
    let Some(model) = &config.model else { return };
    let name = model.device.as_str();
    let cuda = name.strip_prefix("cuda:").is_some_and(|index| index.parse::<usize>().is_ok());
    if !(cuda || name == "auto" || name == "cpu") {
        found.push(problem("/model/device", format!("unknown device `{name}`"), "one of auto, cpu, cuda:N"));
    }
}

fn targets(config: &Config, found: &mut Vec<Problem>) {
    for (index, name) in config.train.target_modules.iter().enumerate() {
        if name != "all-linear" && !TARGETS.contains(&last(name)) {
            found.push(unknown_layer(format!("/train/target_modules/{index}"), name));
        }
    }
    let train = &config.train;
    let ranks = train.rank_pattern.keys().map(|name| ("rank_pattern", name));
    let alphas = train.alpha_pattern.keys().map(|name| ("alpha_pattern", name));
    for (table, name) in ranks.chain(alphas) {
        if !TARGETS.contains(&last(name)) {
            found.push(unknown_layer(format!("/train/{table}/{name}"), name));
        }
    }
}

/// The part of a layer's name that says what it does.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn unknown_layer(pointer: String, name: &str) -> Problem {
    let near = did_you_mean(name, TARGETS);
    let hint = match near.starts_with("known") {
        true => format!("known: all-linear, {}", TARGETS.join(", ")),
        false => format!("{near}; known: all-linear, {}", TARGETS.join(", ")),
    };
    problem(pointer, format!("unknown layer `{name}`"), hint)
}

/// Settings of training that exclude each other or need one another.
fn training(config: &Config, found: &mut Vec<Problem>) {
    let Train { method, dora, modules_to_save, rank_pattern, warmup, decay, schedule, .. } = &config.train;
    if *method == Method::Full {
        let used = [
            ("dora", *dora),
            ("rslora", config.train.rslora),
            ("modules_to_save", !modules_to_save.is_empty()),
            ("rank_pattern", !rank_pattern.is_empty()),
        ];
        for (key, _) in used.into_iter().filter(|(_, used)| *used) {
            let message = format!("`{key}` is about adapters, but `method` is `full`");
            found.push(problem(format!("/train/{key}"), message, "remove it, or train with `lora`"));
        }
    }
    patterns(&config.train, found);
    for (index, name) in modules_to_save.iter().enumerate() {
        if !SAVEABLE.contains(&name.as_str()) {
            let message = format!("unknown module `{name}`");
            found.push(problem(
                format!("/train/modules_to_save/{index}"),
                message,
                format!("known: {}", SAVEABLE.join(", ")),
            ));
        }
    }
    if *schedule == Schedule::Wsd && warmup + decay > 1.0 {
        let message = format!("warmup {warmup} and decay {decay} are more than the whole run");
        found.push(problem("/train/decay", message, "their sum is at most 1"));
    }
    early_stopping(config, found);
}

/// Ranks and alphas of single layers have the bounds of `rank` and `alpha`.
fn patterns(train: &Train, found: &mut Vec<Problem>) {
    for (name, rank) in train.rank_pattern.iter().filter(|(_, rank)| !(1..=LARGEST_RANK).contains(*rank)) {
        let hint = format!("from 1 to {LARGEST_RANK}; leave the layer out of `target_modules` where it has no adapter");
        found.push(problem(format!("/train/rank_pattern/{name}"), format!("a rank of {rank}"), hint));
    }
    for (name, alpha) in train.alpha_pattern.iter().filter(|(_, alpha)| !(**alpha > 0.0 && **alpha <= LARGEST_ALPHA)) {
        let hint = format!("more than 0, at most {LARGEST_ALPHA}");
        found.push(problem(format!("/train/alpha_pattern/{name}"), format!("an alpha of {alpha}"), hint));
    }
}

/// As in the schema of `rank` and `alpha`.
const LARGEST_RANK: usize = 65_536;
const LARGEST_ALPHA: f64 = 1_000_000.0;

/// What `modules_to_save` may name.
const SAVEABLE: [&str; 2] = ["embed_tokens", "lm_head"];

fn early_stopping(config: &Config, found: &mut Vec<Problem>) {
    let Some(early) = &config.train.early_stopping else { return };
    let at = "/train/early_stopping/metric";
    if early.metric == "loss" {
        if config.data.as_ref().is_some_and(|data| data.held_out == 0.0) {
            found.push(problem(
                at,
                "no rows are held out to watch the loss of",
                "set `data.held_out`, for example 0.05",
            ));
        }
        return;
    }
    if config.watched().is_none() {
        let known = config.suites.iter().map(|suite| suite.name.as_str());
        let hint = format!("`loss`, or suite.plugin.measure with a suite of {}", known.collect::<Vec<_>>().join(", "));
        found.push(problem(at, format!("`{}` names no suite", early.metric), hint));
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
        rows(suite, &at, found);
    }
}

/// A suite's rows are those of a dataset or of a task, which says more of them than a dataset does.
fn rows(suite: &Suite, at: &str, found: &mut Vec<Problem>) {
    let given = !suite.data.as_os_str().is_empty();
    let Some(task) = &suite.task else {
        if !given {
            found.push(problem(at, "a suite without rows", "give it `data`, or a `task`"));
        } else if task::is_task(&suite.data) {
            let hint = "write `task = { file = \"…\" }` for a task of lm-evaluation-harness";
            found.push(problem(format!("{at}/data"), "a YAML file is no dataset", hint));
        }
        return;
    };
    if !task::is_task(&task.file) {
        let hint = "a task is a file that ends in .yaml or .yml";
        found.push(problem(format!("{at}/task/file"), "the file is no YAML", hint));
    }
    let plain = !task.apply_chat_template;
    let others = [
        ("data", given, "the task names its data: remove `data`"),
        ("columns", !suite.columns.is_empty(), "the task says what its columns mean"),
        ("system", suite.system.is_some(), "write it as the task's `description`"),
        ("template_variables", plain && !suite.template_variables.is_empty(), "no chat template is used"),
    ];
    for (key, _, hint) in others.into_iter().filter(|(_, given, _)| *given) {
        found.push(problem(format!("{at}/{key}"), format!("`{key}` beside `task`"), hint));
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
        for (measure, (low, high)) in &plugin.bounds {
            if !(low.is_finite() && high.is_finite() && low < high) {
                let message = format!("{low} to {high} are no bounds");
                let hint = "give the smallest possible value, then a larger one";
                found.push(problem(format!("{at}/evaluator/{index}/bounds/{measure}"), message, hint));
            }
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
        && low >= high
    {
        let message = format!("minimum {low} is above maximum {high}");
        found.push(problem(format!("{at}/minimum"), message, "no level can be both"));
    }
}
