//! How a task's answers are written and scored: what `eval-harness` is told.

use super::node::{self, Keys};
use super::value::{Node, Yaml, refuse};
use diapason_core::Result;
use diapason_core::config::Plugin;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The plugin that scores as the harness does.
const PLUGIN: &str = "eval-harness";

/// How a task asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    MultipleChoice,
    Loglikelihood,
    GenerateUntil,
}

/// How answers are written.
#[derive(Debug)]
pub(super) struct Writing {
    until: Vec<String>,
    pub(super) max_tokens: Option<usize>,
}

/// How answers are scored.
#[derive(Debug)]
pub(super) struct Scoring {
    output: Output,
    /// `exact_match`'s settings are those of the metric.
    metrics: Vec<(String, Map<String, Value>)>,
    pub(super) writing: Writing,
    /// Names and steps.
    pipelines: Vec<(Option<String>, Vec<Value>)>,
}

/// How long an answer may be where nothing is said.
const LONGEST: usize = 256;

impl Writing {
    pub(super) fn of(keys: &mut Keys, output: Output, delimiter: &str) -> Result<Self> {
        let given = keys.take("generation_kwargs");
        if output != Output::GenerateUntil {
            return match given {
                Some(node) => {
                    let hint = "remove them: nothing is written where likelihoods are compared";
                    Err(refuse(node.line, "`generation_kwargs` without `output_type: generate_until`", hint))
                }
                None => Ok(Self { until: Vec::new(), max_tokens: None }),
            };
        }
        let default = vec![delimiter.to_owned()];
        let Some(given) = given else { return Ok(Self { until: default, max_tokens: Some(LONGEST) }) };
        let mut given = Keys::of(given, "generation_kwargs")?;
        let until = given.take("until").map(|node| node::texts(node, "until")).transpose()?.unwrap_or(default);
        let max_tokens = given.count("max_gen_toks")?.unwrap_or(LONGEST);
        greedy(&mut given)?;
        given.refuse(&[("max_new_tokens", "write `max_gen_toks`"), ("max_length", "write `max_gen_toks`")])?;
        if max_tokens == 0 {
            return Err(refuse(given.line(), "`max_gen_toks` is 0", "answers have at least one token"));
        }
        given.end()?;
        Ok(Self { until: until.into_iter().filter(|stop| !stop.is_empty()).collect(), max_tokens: Some(max_tokens) })
    }
}

/// Only the likeliest answer is the same one everywhere.
fn greedy(given: &mut Keys) -> Result<()> {
    let hint = "only greedy answers are the same in both tools: `do_sample: false`, `temperature: 0`";
    if given.truth("do_sample")? == Some(true) {
        return Err(refuse(given.line(), "`do_sample: true` is not supported", hint));
    }
    match given.take("temperature") {
        None | Some(Node { value: Yaml::Int(0), .. }) => Ok(()),
        Some(Node { value: Yaml::Float(0.0), .. }) => Ok(()),
        Some(node) => Err(refuse(node.line, "a `temperature` other than 0 is not supported", hint)),
    }
}

impl Scoring {
    pub(super) fn of(keys: &mut Keys, output: Output, writing: Writing) -> Result<Self> {
        let metrics = match keys.take("metric_list") {
            Some(node) => node::list(node, "metric_list")?
                .into_iter()
                .map(|node| metric(node, output))
                .collect::<Result<Vec<_>>>()?,
            None => defaults(output).iter().map(|name| ((*name).into(), Map::new())).collect(),
        };
        if metrics.is_empty() {
            return Err(refuse(keys.line(), "`metric_list` is empty", "name at least one metric"));
        }
        let repeats = keys.count("repeats")?.unwrap_or(1);
        if repeats == 0 {
            return Err(refuse(keys.line(), "`repeats` is 0", "leave it out"));
        }
        let pipelines = match keys.take("filter_list") {
            Some(node) => pipelines(node, output, repeats)?,
            None => vec![(None, Vec::new())],
        };
        Ok(Self { output, metrics, writing, pipelines })
    }

    /// The evaluators of the task's suite: one for each list of filters. `prefix` stands before each choice.
    pub(super) fn evaluators(&self, prefix: &str) -> Vec<Plugin> {
        self.pipelines.iter().map(|(name, steps)| self.evaluator(prefix, name.clone(), steps)).collect()
    }

    fn evaluator(&self, prefix: &str, name: Option<String>, steps: &[Value]) -> Plugin {
        let mut settings = Map::new();
        let output = match self.output {
            Output::MultipleChoice => "multiple-choice",
            Output::Loglikelihood => "loglikelihood",
            Output::GenerateUntil => "generate-until",
        };
        settings.insert("output".into(), output.into());
        let names: Vec<String> = self.metrics.iter().map(|(name, _)| shown(name)).collect();
        settings.insert("metrics".into(), json!(names));
        match self.output {
            Output::MultipleChoice => {
                settings.insert("choice_prefix".into(), prefix.into());
            }
            Output::GenerateUntil => {
                settings.insert("until".into(), json!(self.writing.until));
                settings.insert("filters".into(), json!(steps));
                settings.extend(self.metrics.iter().flat_map(|(_, settings)| settings.clone()));
            }
            Output::Loglikelihood => {}
        }
        Plugin { plugin: PLUGIN.into(), name, settings, bounds: BTreeMap::new() }
    }
}

/// A metric's name as measures are named. The mean of the logarithms is that of the perplexity.
fn shown(metric: &str) -> String {
    if metric == "perplexity" { "log-perplexity".into() } else { metric.replace('_', "-") }
}

fn defaults(output: Output) -> &'static [&'static str] {
    match output {
        Output::MultipleChoice => &["acc", "acc_norm"],
        Output::Loglikelihood => &["perplexity", "acc"],
        Output::GenerateUntil => &["exact_match"],
    }
}

fn known(output: Output) -> &'static [&'static str] {
    match output {
        Output::MultipleChoice => &["acc", "acc_norm", "acc_bytes", "exact_match"],
        Output::Loglikelihood => &["perplexity", "acc"],
        Output::GenerateUntil => &["exact_match"],
    }
}

/// Settings of `exact_match`.
const EXACT: [&str; 3] = ["ignore_case", "ignore_punctuation", "ignore_numbers"];

fn metric(node: Node, output: Output) -> Result<(String, Map<String, Value>)> {
    let mut keys = Keys::of(node, "metric_list")?;
    let line = keys.line();
    let name = keys.text("metric")?;
    let name = name.ok_or_else(|| refuse(line, "a metric without a name", "write `metric: exact_match`"))?;
    if !known(output).contains(&name.as_str()) {
        let hint = format!(
            "known for this `output_type`: {}; metrics of a whole corpus have no value for a single sample",
            known(output).join(", ")
        );
        return Err(refuse(line, &format!("the metric `{name}` is not supported"), &hint));
    }
    let perplexity = name == "perplexity";
    let aggregation = if perplexity { "perplexity" } else { "mean" };
    if keys.text("aggregation")?.is_some_and(|given| given != aggregation) {
        let hint = format!("`{name}` has `aggregation: {aggregation}`");
        return Err(refuse(line, &format!("another `aggregation` of `{name}` is not supported"), &hint));
    }
    if keys.truth("higher_is_better")?.is_some_and(|higher| higher == perplexity) {
        let hint = format!("for `{name}` it is {}", !perplexity);
        return Err(refuse(line, &format!("`higher_is_better` of `{name}` is the wrong way round"), &hint));
    }
    if keys.truth("hf_evaluate")? == Some(true) {
        return Err(refuse(line, "`hf_evaluate: true` is not supported", "leave it out"));
    }
    let mut settings = Map::new();
    if output == Output::GenerateUntil {
        for key in EXACT {
            settings.extend(keys.truth(key)?.map(|truth| (key.to_owned(), truth.into())));
        }
        if let Some(patterns) = keys.take("regexes_to_ignore") {
            settings.insert(
                "regexes_to_ignore".into(),
                json!(
                    node::list(patterns, "regexes_to_ignore")?
                        .into_iter()
                        .map(|pattern| node::text(pattern, "regexes_to_ignore"))
                        .collect::<Result<Vec<_>>>()?
                ),
            );
        }
    }
    keys.end()?;
    Ok((name, settings))
}

type Pipeline = (Option<String>, Vec<Value>);

fn pipelines(node: Node, output: Output, repeats: usize) -> Result<Vec<Pipeline>> {
    let line = node.line;
    let mut pipelines: Vec<Pipeline> = Vec::new();
    for node in node::list(node, "filter_list")? {
        let mut keys = Keys::of(node, "filter_list")?;
        let line = keys.line();
        let name = keys.text("name")?.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| refuse(line, "a list of filters without a name", "give it a `name`"))?;
        if pipelines.iter().any(|(known, _)| known.as_ref() == Some(&name)) {
            return Err(refuse(line, &format!("two lists of filters are named `{name}`"), "rename one of them"));
        }
        let steps = keys.take("filter").map(|node| steps(node, output, repeats)).transpose()?;
        let steps =
            steps.ok_or_else(|| refuse(line, "`filter` is missing", "write `filter: [{function: take_first}]`"))?;
        keys.end()?;
        pipelines.push((Some(name), steps));
    }
    if pipelines.is_empty() {
        return Err(refuse(line, "`filter_list` is empty", "leave it out"));
    }
    Ok(pipelines)
}

/// The filters that change a text. Greedy answers are all the same, so that taking one of them changes nothing.
fn steps(node: Node, output: Output, repeats: usize) -> Result<Vec<Value>> {
    let line = node.line;
    let (mut steps, mut taken) = (Vec::new(), false);
    for node in node::list(node, "filter")? {
        let mut keys = Keys::of(node, "filter")?;
        let line = keys.line();
        let function = keys.text("function")?.unwrap_or_default();
        if taken {
            return Err(refuse(line, &format!("`{function}` after `take_first`"), "put `take_first` last"));
        }
        match function.as_str() {
            "take_first" => taken = true,
            "majority_vote" => {}
            "take_first_k" => {
                if keys.count("k")?.is_none_or(|k| k == 0 || k > repeats) {
                    return Err(refuse(
                        line,
                        "`k` is not 1 to `repeats`",
                        "write `k`, and `repeats` at least as large",
                    ));
                }
            }
            "regex" if output == Output::GenerateUntil => steps.push(regex(&mut keys)?),
            name @ ("lowercase" | "uppercase" | "remove_whitespace") if output == Output::GenerateUntil => {
                steps.push(json!({"function": name.replace('_', "-")}));
            }
            other => {
                let hint = "known: take_first, take_first_k, majority_vote, and for texts regex, lowercase, uppercase, \
                            remove_whitespace";
                return Err(refuse(line, &format!("the filter `{other}` is not supported"), hint));
            }
        }
        keys.end()?;
    }
    if taken {
        return Ok(steps);
    }
    Err(refuse(line, "the filters do not end with `take_first`", "add `- function: take_first`"))
}

fn regex(keys: &mut Keys) -> Result<Value> {
    let mut step = json!({"function": "regex"});
    if let Some(pattern) = keys.text("regex_pattern")? {
        step["pattern"] = pattern.into();
    }
    if let Some(node) = keys.take("group_select") {
        let Yaml::Int(group) = node.value else { return Err(node::wrong(&node, "group_select", "a whole number")) };
        step["group"] = group.into();
    }
    if let Some(fallback) = keys.text("fallback")? {
        step["fallback"] = fallback.into();
    }
    Ok(step)
}
