//! A task, as its YAML describes it.

use super::field::Field;
use super::known;
use super::node::{self, Keys};
use super::scoring::{Output, Scoring, Writing};
use super::sources::Sources;
use super::value::{Node, Yaml, refuse};
use super::yaml;
use diapason_core::Result;
use serde_json::{Map, Value};

/// A task, checked as far as that goes without its data.
#[derive(Debug)]
pub struct Task {
    pub(super) output: Output,
    pub(super) sources: Sources,
    /// The split that is asked, and whether it is the test split.
    pub(super) asked: String,
    pub(super) test: Option<String>,
    pub(super) fields: Fields,
    pub(super) description: Option<Field>,
    pub(super) target_delimiter: String,
    pub(super) examples: Examples,
    pub(super) scoring: Scoring,
}

/// What makes a row of the data a question.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) text: Field,
    pub(super) target: Option<Field>,
    pub(super) choice: Option<Field>,
}

/// The examples before a question.
#[derive(Debug)]
pub(super) struct Examples {
    pub(super) count: usize,
    pub(super) from: Pool,
    pub(super) first: bool,
    pub(super) fields: Fields,
    pub(super) target_delimiter: String,
    pub(super) delimiter: String,
    /// The split that the harness holds against the test split to leave the question itself out.
    pub(super) split: Option<String>,
}

/// Where examples come from.
#[derive(Debug)]
pub(super) enum Pool {
    Split(String),
    Written(Vec<Map<String, Value>>),
}

impl Task {
    /// Reads the YAML of a task.
    ///
    /// # Errors
    /// With [`diapason_core::Class::Config`] where it is no task, or one that asks for something which is not supported;
    /// the message names the line.
    pub fn parse(text: &str) -> Result<Self> {
        let mut keys = Keys::of(yaml::parse(text)?, "the task")?;
        known::refuse(&mut keys)?;
        known::pass_over(&mut keys)?;
        let line = keys.line();
        let output = output(&mut keys)?;
        let sources = Sources::of(&mut keys)?;
        let splits = Splits::of(&mut keys, &sources)?;
        let fields = Fields::of(&mut keys, output, line)?;
        let description = keys.text("description")?.filter(|text| !text.is_empty()).map(Field::Text);
        let target_delimiter = keys.text("target_delimiter")?.unwrap_or_else(|| " ".into());
        let delimiter = keys.text("fewshot_delimiter")?.unwrap_or_else(|| "\n\n".into());
        let writing = Writing::of(&mut keys, output, &delimiter)?;
        let scoring = Scoring::of(&mut keys, output, writing)?;
        let examples = examples(&mut keys, &splits, &fields, [&target_delimiter, &delimiter], &sources)?;
        keys.end()?;
        let Splits { asked, test, .. } = splits;
        Ok(Self { output, sources, asked, test, fields, description, target_delimiter, examples, scoring })
    }
}

fn output(keys: &mut Keys) -> Result<Output> {
    let Some(found) = keys.take("output_type") else { return Ok(Output::GenerateUntil) };
    let line = found.line;
    match node::text(found, "output_type")?.as_str() {
        "multiple_choice" => Ok(Output::MultipleChoice),
        "loglikelihood" => Ok(Output::Loglikelihood),
        "generate_until" => Ok(Output::GenerateUntil),
        other => {
            let hint = "known: multiple_choice, loglikelihood, generate_until";
            Err(refuse(line, &format!("`output_type: {other}` is not supported"), hint))
        }
    }
}

impl Fields {
    fn of(keys: &mut Keys, output: Output, line: usize) -> Result<Self> {
        let mut field = |key| keys.take(key).map(|node| Field::of(node, key)).transpose();
        let (text, target, choice) = (field("doc_to_text")?, field("doc_to_target")?, field("doc_to_choice")?);
        let missing = |key: &str| refuse(line, &format!("`{key}` is missing"), "a task says what it asks and expects");
        let text = text.ok_or_else(|| missing("doc_to_text"))?;
        let target = Some(target.ok_or_else(|| missing("doc_to_target"))?);
        if choice.is_none() && output == Output::MultipleChoice {
            return Err(missing("doc_to_choice"));
        }
        Ok(Self { text, target, choice })
    }

    /// These, but for what is said for examples.
    fn with(&self, keys: &mut Keys) -> Result<Self> {
        let mut field = |key, own: Option<&Field>| {
            let found = keys.take(key).map(|node| Field::of(node, key)).transpose()?;
            Ok::<_, diapason_core::Error>(found.or_else(|| own.cloned()))
        };
        let text = field("doc_to_text", Some(&self.text))?.unwrap_or_else(|| self.text.clone());
        let target = field("doc_to_target", self.target.as_ref())?;
        Ok(Self { text, target, choice: field("doc_to_choice", self.choice.as_ref())? })
    }
}

/// Which splits are for what.
struct Splits {
    training: Option<String>,
    validation: Option<String>,
    test: Option<String>,
    asked: String,
    examples: Option<String>,
}

impl Splits {
    fn of(keys: &mut Keys, sources: &Sources) -> Result<Self> {
        let mut split = |key: &'static str| {
            let Some(node) = keys.take(key) else { return Ok(None) };
            let line = node.line;
            sources.known(&node::text(node, key)?, line).map(Some)
        };
        let training = split("training_split")?;
        let (validation, test, examples) = (split("validation_split")?, split("test_split")?, split("fewshot_split")?);
        let asked = test.clone().or_else(|| validation.clone());
        let asked = asked.ok_or_else(|| {
            refuse(keys.line(), "there is neither `test_split` nor `validation_split`", "name the split to ask")
        })?;
        Ok(Self { training, validation, test, asked, examples })
    }

    /// Where examples come from if nothing else is said.
    fn default_pool(&self) -> String {
        let all = [&self.training, &self.validation, &self.test];
        all.into_iter().flatten().next().unwrap_or(&self.asked).clone()
    }
}

fn examples(
    keys: &mut Keys,
    splits: &Splits,
    fields: &Fields,
    delimiters: [&String; 2],
    sources: &Sources,
) -> Result<Examples> {
    let count = keys.count("num_fewshot")?.unwrap_or(0);
    let empty = Node { value: Yaml::Map(Vec::new()), line: keys.line() };
    let config = keys.take("fewshot_config").unwrap_or(empty);
    let mut config = Keys::of(config, "fewshot_config")?;
    config.refuse(&[
        ("process_docs", "prepare the data with it beforehand"),
        ("fewshot_indices", "write the examples under `samples`"),
        ("gen_prefix", "write it at the end of `doc_to_text`"),
    ])?;
    let sampler = config.take("sampler");
    let line = sampler.as_ref().map_or(config.line(), |node| node.line);
    let sampler = sampler.map(|node| node::text(node, "sampler")).transpose()?;
    let first = match sampler.as_deref() {
        None | Some("default") => false,
        Some("first_n") => true,
        Some(other) => {
            return Err(refuse(line, &format!("unknown sampler `{other}`"), "known: default, first_n"));
        }
    };
    let split = config.take("split").map(|node| sources.known_node(node)).transpose()?;
    let split = split.or_else(|| splits.examples.clone());
    let written = config.take("samples").map(samples).transpose()?;
    let from = match (&split, written) {
        (Some(split), None) => Pool::Split(split.clone()),
        (None, Some(written)) => Pool::Written(written),
        (None, None) => Pool::Split(splits.default_pool()),
        (Some(_), Some(_)) => {
            return Err(refuse(config.line(), "both a split and `samples` for examples", "keep one of them"));
        }
    };
    let fields = fields.with(&mut config)?;
    let target_delimiter = config.text("target_delimiter")?.unwrap_or_else(|| delimiters[0].clone());
    let delimiter = config.text("fewshot_delimiter")?.unwrap_or_else(|| delimiters[1].clone());
    config.end()?;
    Ok(Examples { count, from, first, fields, target_delimiter, delimiter, split })
}

fn samples(node: Node) -> Result<Vec<Map<String, Value>>> {
    let sample = |node: Node| match node::json(&node)? {
        Value::Object(sample) => Ok(sample),
        _ => Err(node::wrong(&node, "samples", "a list of mappings")),
    };
    node::list(node, "samples")?.into_iter().map(sample).collect()
}
