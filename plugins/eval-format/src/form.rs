//! The checks of an answer's form.

use crate::schema::Schema;
use diapason_plugin::json::{self, Choice, Document, Kind};
use diapason_plugin::{Reasoning, Result};
use regex_lite::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// At most so many problems of one check.
const PROBLEMS: usize = 5;

/// The form that answers must have. What is not set is not checked.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The answer must hold a JSON document.
    pub json: bool,
    /// The answer must be a JSON document and nothing else: no fence, no sentence around it. Implies `json`.
    pub json_only: bool,
    /// Which JSON document of an answer counts where there are several.
    pub document: Choice,
    /// What becomes of reasoning (`<think>…</think>`) before the answer.
    pub reasoning: Reasoning,
    /// JSON Schema (2020-12) of the document. Implies `json`. `$ref` stays within the schema.
    pub schema: Option<Value>,
    /// Regular expression that the whole answer must match, white space at its ends aside.
    pub pattern: Option<String>,
    /// Least characters (Unicode scalar values).
    pub min_characters: Option<usize>,
    /// Most characters.
    pub max_characters: Option<usize>,
    /// Least words (between white space).
    pub min_words: Option<usize>,
    /// Most words.
    pub max_words: Option<usize>,
}

/// The settings, compiled.
pub struct Form {
    settings: Settings,
    schema: Option<Schema>,
    pattern: Option<Regex>,
}

/// A check and what it found wrong.
pub struct Check {
    /// The measure.
    pub name: &'static str,
    /// What is wrong; nothing if the answer passes.
    pub problems: Vec<String>,
}

impl Form {
    /// Compiles the settings. An error names the setting that is wrong.
    pub fn new(settings: Settings) -> Result<Self> {
        let form =
            Self { schema: settings.schema.as_ref().map(compile).transpose()?, pattern: pattern(&settings)?, settings };
        if form.measures().len() == 1 {
            return Err("nothing to check: set `json`, `schema`, `pattern` or a length".to_owned());
        }
        Ok(form)
    }

    /// The measures under these settings, `valid` first.
    pub fn measures(&self) -> Vec<&'static str> {
        let set = &self.settings;
        let checks = [
            ("valid", true),
            ("json-valid", self.wants_json()),
            ("json-only", set.json_only),
            ("schema-valid", self.schema.is_some()),
            ("pattern", self.pattern.is_some()),
            (
                "length",
                [set.min_characters, set.max_characters, set.min_words, set.max_words].iter().any(Option::is_some),
            ),
        ];
        checks.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect()
    }

    /// Every check but `valid`, in the order of the measures.
    pub fn check(&self, answer: &str) -> Vec<Check> {
        let find = || json::find(answer, self.settings.document, self.wanted());
        let document = if self.wants_json() { find() } else { Err(String::new()) };
        let problems = |name: &str| match name {
            "json-valid" => document.as_ref().err().cloned().into_iter().collect(),
            "json-only" => not_only_json(answer).into_iter().collect(),
            "schema-valid" => self.against_schema(&document),
            "pattern" => self.against_pattern(answer).into_iter().collect(),
            _ => self.length(answer),
        };
        self.measures().into_iter().skip(1).map(|name| Check { name, problems: problems(name) }).collect()
    }

    /// Every remark on a document that is no problem: keys that stand twice in one object.
    pub fn remarks(&self, answer: &str) -> Vec<String> {
        let document = self.wants_json().then(|| json::find(answer, self.settings.document, self.wanted()));
        let duplicates = document.and_then(Result::ok).map(|document| document.duplicates).unwrap_or_default();
        duplicates.iter().take(PROBLEMS).map(|path| format!("{path} stands twice: the last counts")).collect()
    }

    /// What becomes of reasoning.
    pub fn reasoning(&self) -> Reasoning {
        self.settings.reasoning
    }

    /// The kind of document that the schema's `type` asks for.
    fn wanted(&self) -> Option<Kind> {
        match self.settings.schema.as_ref()?.get("type")?.as_str()? {
            "object" => Some(Kind::Object),
            "array" => Some(Kind::Array),
            _ => None,
        }
    }

    fn wants_json(&self) -> bool {
        self.settings.json || self.settings.json_only || self.schema.is_some()
    }

    fn against_schema(&self, document: &Result<Document>) -> Vec<String> {
        let (Some(schema), Ok(Document { value: document, .. })) = (&self.schema, document) else {
            return vec!["there is no JSON document".to_owned()];
        };
        let place = |path: &str| if path.is_empty() { "the document".to_owned() } else { path.to_owned() };
        let problems = schema.problems(document).into_iter().take(PROBLEMS);
        problems.map(|problem| format!("{}: {}", place(&problem.path), problem.message)).collect()
    }

    fn against_pattern(&self, answer: &str) -> Option<String> {
        let pattern = self.pattern.as_ref()?;
        (!pattern.is_match(answer.trim())).then(|| format!("the answer does not match {}", pattern.as_str()))
    }

    fn length(&self, answer: &str) -> Vec<String> {
        let (characters, words) = (answer.trim().chars().count(), answer.split_whitespace().count());
        let set = &self.settings;
        [
            too_few(characters, set.min_characters, "characters"),
            too_many(characters, set.max_characters, "characters"),
            too_few(words, set.min_words, "words"),
            too_many(words, set.max_words, "words"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn compile(schema: &Value) -> Result<Schema> {
    Schema::new(schema.clone()).map_err(|cause| format!("setting `schema` is no JSON Schema: {cause}"))
}

fn pattern(settings: &Settings) -> Result<Option<Regex>> {
    let compile = |pattern: &String| Regex::new(&format!(r"\A(?:{pattern})\z"));
    let bad = |cause| format!("setting `pattern` is not a regular expression: {cause}");
    settings.pattern.as_ref().map(compile).transpose().map_err(bad)
}

fn not_only_json(answer: &str) -> Option<String> {
    let cause = serde_json::from_str::<serde::de::IgnoredAny>(answer.trim()).err()?;
    Some(format!("the answer as a whole is not JSON: {cause}"))
}

fn too_few(count: usize, least: Option<usize>, unit: &str) -> Option<String> {
    least.filter(|least| count < *least).map(|least| format!("{count} {unit}, at least {least} asked for"))
}

fn too_many(count: usize, most: Option<usize>, unit: &str) -> Option<String> {
    most.filter(|most| count > *most).map(|most| format!("{count} {unit}, at most {most} asked for"))
}
