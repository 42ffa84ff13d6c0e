//! Checks a document against a schema, keyword by keyword.

use super::equal::equal;
use super::{Problem, Schema, resolve};
use serde_json::{Map, Value};

/// How deep schemas may lead into one another before a reference is taken to be circular. A document is at most 128 deep.
const DEPTH: usize = 400;

/// Whether a number keeps to a limit.
type Holds = fn(f64, f64) -> bool;

/// One check of a document, and what it found.
pub(super) struct Check<'a> {
    schema: &'a Schema,
    /// Found so far.
    pub(super) problems: Vec<Problem>,
    depth: usize,
}

impl<'a> Check<'a> {
    /// Nothing found yet.
    pub(super) fn new(schema: &'a Schema) -> Self {
        Self { schema, problems: Vec::new(), depth: 0 }
    }

    /// Checks a value against a schema.
    pub(super) fn value(&mut self, schema: &Value, value: &Value, path: &str) {
        match schema {
            Value::Bool(false) => self.found(path, format!("{} is not allowed here", short(value))),
            Value::Object(_) if self.depth >= DEPTH => {
                self.found(path, "the schema refers to itself without end".to_owned())
            }
            Value::Object(keywords) => {
                self.depth += 1;
                self.keywords(keywords, value, path);
                self.depth -= 1;
            }
            _ => {}
        }
    }

    fn keywords(&mut self, keywords: &Map<String, Value>, value: &Value, path: &str) {
        if let Some(target) =
            keywords.get("$ref").and_then(Value::as_str).and_then(|name| resolve(&self.schema.root, name))
        {
            self.value(target, value, path);
        }
        self.any(keywords, value, path);
        match value {
            Value::Number(_) => self.number(keywords, value, path),
            Value::String(text) => self.string(keywords, text, path),
            Value::Array(items) => self.array(keywords, items, path),
            Value::Object(members) => self.object(keywords, members, path),
            Value::Null | Value::Bool(_) => {}
        }
        self.combined(keywords, value, path);
    }

    fn any(&mut self, keywords: &Map<String, Value>, value: &Value, path: &str) {
        if let Some(wanted) = keywords.get("type")
            && !either(wanted).iter().filter_map(Value::as_str).any(|name| is_of(value, name))
        {
            self.found(path, format!("{} is not of type {wanted}", short(value)));
        }
        if let Some(Value::Array(allowed)) = keywords.get("enum")
            && !allowed.iter().any(|one| equal(one, value))
        {
            self.found(path, format!("{} is not one of {}", short(value), short(&Value::Array(allowed.clone()))));
        }
        if let Some(wanted) = keywords.get("const").filter(|wanted| !equal(wanted, value)) {
            self.found(path, format!("{} is not {}", short(value), short(wanted)));
        }
    }

    fn number(&mut self, keywords: &Map<String, Value>, value: &Value, path: &str) {
        let Some(number) = value.as_f64() else { return };
        let limits: [(&str, &str, Holds); 4] = [
            ("minimum", "less than", |number, limit| number >= limit),
            ("exclusiveMinimum", "not more than", |number, limit| number > limit),
            ("maximum", "more than", |number, limit| number <= limit),
            ("exclusiveMaximum", "not less than", |number, limit| number < limit),
        ];
        for (keyword, what, holds) in limits {
            if let Some(limit) =
                keywords.get(keyword).filter(|limit| limit.as_f64().is_some_and(|limit| !holds(number, limit)))
            {
                self.found(path, format!("{value} is {what} {limit}"));
            }
        }
        if let Some(unit) = keywords.get("multipleOf").filter(|unit| !is_multiple(value, unit)) {
            self.found(path, format!("{value} is not a multiple of {unit}"));
        }
    }

    fn string(&mut self, keywords: &Map<String, Value>, text: &str, path: &str) {
        self.count(keywords, ("minLength", "maxLength", "characters"), || text.chars().count(), path);
        let pattern = keywords.get("pattern").and_then(Value::as_str);
        if let Some(pattern) = pattern.filter(|pattern| !self.matches(pattern, text)) {
            self.found(path, format!("{} does not match {pattern}", short(&Value::from(text))));
        }
    }

    fn array(&mut self, keywords: &Map<String, Value>, items: &[Value], path: &str) {
        self.count(keywords, ("minItems", "maxItems", "items"), || items.len(), path);
        let prefix = keywords.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let rest = keywords.get("items");
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = prefix.get(index).or(rest) {
                self.value(schema, item, &format!("{path}/{index}"));
            }
        }
        let repeated =
            || items.iter().enumerate().find(|(index, item)| items[..*index].iter().any(|one| equal(one, item)));
        if keywords.get("uniqueItems") == Some(&Value::Bool(true))
            && let Some((index, item)) = repeated()
        {
            self.found(&format!("{path}/{index}"), format!("{} is there already", short(item)));
        }
        self.contains(keywords, items, path);
    }

    fn contains(&mut self, keywords: &Map<String, Value>, items: &[Value], path: &str) {
        let Some(schema) = keywords.get("contains") else { return };
        let count = items.iter().filter(|item| self.holds(schema, item)).count() as f64;
        let limit = |name: &str| keywords.get(name).and_then(Value::as_f64);
        let (least, most) = (limit("minContains").unwrap_or(1.0), limit("maxContains").unwrap_or(f64::INFINITY));
        if !(least..=most).contains(&count) {
            self.found(path, format!("{count} items are as `contains` wants them, {least} to {most} asked for"));
        }
    }

    fn object(&mut self, keywords: &Map<String, Value>, members: &Map<String, Value>, path: &str) {
        self.count(keywords, ("minProperties", "maxProperties", "members"), || members.len(), path);
        self.required(keywords.get("required"), members, path);
        for (_, needed) in map(keywords, "dependentRequired").filter(|(name, _)| members.contains_key(*name)) {
            self.required(Some(needed), members, path);
        }
        for (name, value) in members {
            self.member(keywords, name, value, &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")));
        }
        let whole = Value::Object(members.clone());
        for (_, schema) in map(keywords, "dependentSchemas").filter(|(name, _)| members.contains_key(*name)) {
            self.value(schema, &whole, path);
        }
    }

    fn required(&mut self, names: Option<&Value>, members: &Map<String, Value>, path: &str) {
        let names = names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for name in names.filter(|name| !members.contains_key(*name)) {
            self.found(path, format!("\"{name}\" is a required property"));
        }
    }

    fn member(&mut self, keywords: &Map<String, Value>, name: &str, value: &Value, path: &str) {
        if let Some(schema) = keywords.get("propertyNames") {
            self.value(schema, &Value::from(name), path);
        }
        let own = map(keywords, "properties").filter(|(known, _)| *known == name);
        let matched = map(keywords, "patternProperties").filter(|(pattern, _)| self.matches(pattern, name));
        let schemas: Vec<&Value> = own.chain(matched).map(|(_, schema)| schema).collect();
        match keywords.get("additionalProperties").filter(|_| schemas.is_empty()) {
            Some(Value::Bool(false)) => self.found(path, format!("\"{name}\" is not a known property")),
            Some(schema) => self.value(schema, value, path),
            None => schemas.into_iter().for_each(|schema| self.value(schema, value, path)),
        }
    }

    fn combined(&mut self, keywords: &Map<String, Value>, value: &Value, path: &str) {
        for schema in list(keywords, "allOf") {
            self.value(schema, value, path);
        }
        if keywords.contains_key("anyOf") && !list(keywords, "anyOf").iter().any(|schema| self.holds(schema, value)) {
            self.found(path, format!("{} is as none of `anyOf` wants it", short(value)));
        }
        let fitting = list(keywords, "oneOf").iter().filter(|schema| self.holds(schema, value)).count();
        if keywords.contains_key("oneOf") && fitting != 1 {
            self.found(path, format!("{} is as {fitting} of `oneOf` want it, and one must", short(value)));
        }
        if keywords.get("not").is_some_and(|schema| self.holds(schema, value)) {
            self.found(path, format!("{} is as `not` forbids it", short(value)));
        }
        if let Some(condition) = keywords.get("if") {
            let branch = if self.holds(condition, value) { "then" } else { "else" };
            keywords.get(branch).into_iter().for_each(|schema| self.value(schema, value, path));
        }
    }

    /// Whether a value satisfies a schema, without a trace in the problems.
    fn holds(&self, schema: &Value, value: &Value) -> bool {
        let mut check = Check { schema: self.schema, problems: Vec::new(), depth: self.depth };
        check.value(schema, value, "");
        check.problems.is_empty()
    }

    fn matches(&self, pattern: &str, text: &str) -> bool {
        self.schema.patterns.get(pattern).is_none_or(|regex| regex.is_match(text))
    }

    fn count(
        &mut self,
        keywords: &Map<String, Value>,
        (least, most, unit): (&str, &str, &str),
        count: impl Fn() -> usize,
        path: &str,
    ) {
        let limit = |name: &str| keywords.get(name).and_then(Value::as_f64);
        if let Some(least) = limit(least).filter(|least| (count() as f64) < *least) {
            self.found(path, format!("{} {unit}, at least {least} asked for", count()));
        }
        if let Some(most) = limit(most).filter(|most| count() as f64 > *most) {
            self.found(path, format!("{} {unit}, at most {most} asked for", count()));
        }
    }

    fn found(&mut self, path: &str, message: String) {
        self.problems.push(Problem { path: path.to_owned(), message });
    }
}

fn list<'v>(keywords: &'v Map<String, Value>, name: &str) -> &'v [Value] {
    keywords.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn map<'v>(keywords: &'v Map<String, Value>, name: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    keywords.get(name).and_then(Value::as_object).into_iter().flatten()
}

/// A list as it is, anything else as a list of one.
fn either(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        _ => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
    }
}

fn is_multiple(value: &Value, unit: &Value) -> bool {
    if let (Some(value), Some(unit)) = (whole(value), whole(unit)) {
        return value % unit == 0;
    }
    let (Some(value), Some(unit)) = (value.as_f64(), unit.as_f64()) else { return true };
    let times = value / unit;
    // Decimal fractions are seldom exact in binary: 0.3 is a multiple of 0.1.
    times.is_finite() && (times - times.round()).abs() <= 1e-9 * times.abs().max(1.0)
}

/// An integer of JSON, exactly: half of `u64` does not fit `i64`, and `f64` rounds it.
fn whole(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

/// The beginning of a value, for a message.
fn short(value: &Value) -> String {
    const LIMIT: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
