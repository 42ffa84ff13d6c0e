//! What is wrong with a document, by its JSON Schema, said so that a person can act on it.

use super::nearest::did_you_mean;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// Bytes of one compiled pattern.
const REGEX: usize = 1 << 20;

/// More problems than these are not looked for.
const LIMIT: usize = 1000;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// JSON Pointer of the place; for an unknown key, the key itself.
    pub pointer: String,
    /// A fragment without the place.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem at `pointer`; `message` is a fragment without the place, `hint` says what to do about it.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), hint: Some(hint.into()) }
    }
}

/// The problems of `document`, in the order of the document's checks. An empty list means that it is valid.
///
/// Errors where `schema` itself is no valid JSON Schema; the text is a fragment.
pub fn problems(schema: &Value, document: &Value) -> Result<Vec<Problem>, String> {
    // Without look-around and back-references a pattern is matched in linear time.
    let patterns = PatternOptions::regex().size_limit(REGEX).dfa_size_limit(REGEX);
    let validator = jsonschema::options().with_pattern_options(patterns).build(schema);
    let validator: Validator = validator.map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for error in validator.iter_errors(document).take(LIMIT) {
        explain(schema, &error, &mut found);
    }
    Ok(found)
}

fn explain(schema: &Value, error: &ValidationError<'_>, found: &mut Vec<Problem>) {
    let pointer = error.instance_path().as_str().to_owned();
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let known = known_keys(schema, error.schema_path().as_str());
            found.extend(unexpected.iter().map(|key| unknown_key(&pointer, key, &known)));
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => explain_branches(schema, error, context, found),
        kind => {
            let hint = hint(kind).or_else(|| meaning(schema, error.schema_path().as_str()));
            found.push(Problem { pointer, message: message(kind, error), hint });
        }
    }
}

/// `anyOf` and `oneOf`: names the choices where every branch is a constant; else explains the branch that got furthest.
fn explain_branches(
    schema: &Value,
    error: &ValidationError<'_>,
    context: &[Vec<ValidationError<'static>>],
    found: &mut Vec<Problem>,
) {
    let choices: Vec<&str> = context.iter().flatten().filter_map(constant).collect();
    if !choices.is_empty() {
        let pointer = error.instance_path().as_str().to_owned();
        found.push(unknown_choice(pointer, error.instance(), &choices));
        return;
    }
    let depth = |errors: &Vec<ValidationError<'static>>| {
        let misfit = errors.iter().any(|inner| {
            matches!(inner.kind(), Kind::Type { .. })
                && inner.instance_path().as_str() == error.instance_path().as_str()
        });
        usize::from(!misfit)
    };
    match context.iter().max_by_key(|errors| depth(errors)) {
        Some(branch) => branch.iter().for_each(|inner| explain(schema, inner, found)),
        None => found.push(Problem {
            pointer: error.instance_path().as_str().to_owned(),
            message: error.to_string(),
            hint: None,
        }),
    }
}

fn constant<'a>(error: &'a ValidationError<'static>) -> Option<&'a str> {
    match error.kind() {
        Kind::Constant { expected_value } => expected_value.as_str(),
        _ => None,
    }
}

fn unknown_key(parent: &str, key: &str, known: &[&str]) -> Problem {
    let escaped = key.replace('~', "~0").replace('/', "~1");
    Problem {
        pointer: format!("{parent}/{escaped}"),
        message: format!("unknown key `{key}`"),
        hint: Some(did_you_mean(key, known.iter().copied())),
    }
}

fn unknown_choice(pointer: String, given: &Value, choices: &[&str]) -> Problem {
    let hint = match given.as_str() {
        Some(word) => format!("{}; one of {}", did_you_mean(word, choices.iter().copied()), choices.join(", ")),
        None => format!("one of {}", choices.join(", ")),
    };
    let hint =
        hint.strip_prefix("known: ").and_then(|_| hint.split_once("; ")).map_or(hint.clone(), |(_, rest)| rest.into());
    Problem { pointer, message: format!("{given} is not accepted"), hint: Some(hint) }
}

/// The `properties` beside the failing keyword.
fn known_keys<'a>(schema: &'a Value, keyword: &str) -> Vec<&'a str> {
    let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = schema.pointer(parent).and_then(|at| at.get("properties")).and_then(Value::as_object);
    properties.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// What the key beside the failing keyword is for, in the schema's words. An optional key says it one level up.
fn meaning(schema: &Value, keyword: &str) -> Option<String> {
    let node = keyword.rsplit_once('/')?.0;
    let outer = node.rsplit_once("/anyOf/").map(|(outer, _)| outer);
    let mut places = [Some(node), outer].into_iter().flatten();
    let (place, text) = places.find_map(|place| Some((place, schema.pointer(place)?.get("description")?.as_str()?)))?;
    let key = place.rsplit_once('/').filter(|(parent, _)| parent.ends_with("/properties")).map(|(_, key)| key)?;
    Some(format!("`{key}`: {}", text.replace('\n', " ")))
}

fn message(kind: &Kind, error: &ValidationError<'_>) -> String {
    let given = error.instance();
    match kind {
        Kind::Minimum { limit } => format!("{given} is too small, at least {limit} is needed"),
        Kind::Maximum { limit } => format!("{given} is too large, at most {limit} is possible"),
        Kind::ExclusiveMinimum { limit } => format!("{given} is too small, more than {limit} is needed"),
        Kind::ExclusiveMaximum { limit } => format!("{given} is too large, less than {limit} is needed"),
        Kind::Required { property } => format!("key {property} is missing"),
        Kind::MinItems { limit } => format!("has too few items, at least {limit} needed"),
        Kind::MinLength { .. } => "must not be empty".into(),
        Kind::MaxLength { limit } => {
            let length = given.as_str().map_or(0, |text| text.chars().count());
            format!("has {length} characters, at most {limit} are possible")
        }
        Kind::Type { kind } => format!("{} expected, found {given}", type_names(kind)),
        Kind::Enum { .. } => format!("{given} is not accepted"),
        _ => error.to_string(),
    }
}

fn type_names(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(set) => {
            let names = set.iter().map(|one| one.to_string()).filter(|name| name != "null");
            names.collect::<Vec<_>>().join(" or ")
        }
    }
}

fn hint(kind: &Kind) -> Option<String> {
    let Kind::Enum { options } = kind else { return None };
    let options = options.as_array()?.iter().map(Value::to_string).collect::<Vec<_>>();
    Some(format!("one of {}", options.join(", ")))
}
