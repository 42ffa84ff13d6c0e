//! The fields of a JSON object, each with its line where it is refused.

use diapason_core::{Error, Result};
use serde_json::{Map, Value};

/// The object that is being read.
pub(super) struct Fields<'a> {
    pub(super) text: &'a str,
    pub(super) object: Map<String, Value>,
}

/// What to do about a value that PEFT never writes.
pub(super) const EDITED: &str = "PEFT does not write this: the file was edited, or damaged";

impl<'a> Fields<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self> {
        let fail = || Error::data("failed to read adapter_config.json");
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Ok(Self { text, object }),
            Ok(_) => Err(fail().because("it holds no JSON object").hint("PEFT and `diapason train` write one")),
            Err(source) => Err(fail()
                .because(source)
                .hint("the file is cut short or was edited; PEFT and `diapason train` write it whole")),
        }
    }

    /// A field; what is null is absent.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// Where the field stands, for a message.
    pub(super) fn place(&self, key: &str) -> String {
        let line = self.text.lines().position(|line| line.trim_start().starts_with(&format!("\"{key}\"")));
        let line = line.map_or(String::new(), |line| format!(" line {}", line + 1));
        format!("adapter_config.json{line}: `{key}`")
    }

    pub(super) fn refuse<T>(&self, key: &str, what: impl AsRef<str>, hint: &str) -> Result<T> {
        let value = self.object.get(key).map(Value::to_string).unwrap_or_default();
        let short: String = value.chars().take(60).collect();
        let short = if short.len() < value.len() { format!("{short}…") } else { short };
        Err(Error::data(format!("{} is {short}: {}", self.place(key), what.as_ref())).hint(hint))
    }

    /// A list of texts, or one text.
    pub(super) fn names(&self, key: &str) -> Result<Option<Vec<String>>> {
        let texts = match self.get(key) {
            None => return Ok(None),
            Some(Value::String(text)) => Some(vec![text.clone()]),
            Some(Value::Array(list)) => list.iter().map(|name| name.as_str().map(str::to_owned)).collect(),
            Some(_) => None,
        };
        match texts {
            Some(texts) => Ok(Some(texts)),
            None => self.refuse(key, "expected a list of names", EDITED),
        }
    }

    pub(super) fn layers(&self) -> Result<Vec<i64>> {
        const KEY: &str = "layers_to_transform";
        let numbers = match self.get(KEY) {
            None => Some(Vec::new()),
            Some(Value::Array(list)) => list.iter().map(Value::as_i64).collect(),
            Some(one) => one.as_i64().map(|one| vec![one]),
        };
        match numbers {
            Some(numbers) => Ok(numbers),
            None => self.refuse(KEY, "expected a list of layers' numbers", EDITED),
        }
    }

    pub(super) fn rank(&self, key: &str, value: Option<&Value>) -> Result<Option<usize>> {
        let rank = |value: &Value| value.as_u64().filter(|rank| *rank > 0).and_then(|rank| usize::try_from(rank).ok());
        match (value, value.and_then(rank)) {
            (None, _) => Ok(None),
            (_, Some(rank)) => Ok(Some(rank)),
            _ => self.refuse(key, "a rank is a whole number of at least 1", EDITED),
        }
    }

    pub(super) fn number(&self, key: &str, value: Option<&Value>) -> Result<Option<f64>> {
        match (value, value.and_then(Value::as_f64).filter(|number| *number != 0.0)) {
            (None, _) => Ok(None),
            (_, Some(number)) => Ok(Some(number)),
            _ => self.refuse(key, "alpha is a number other than 0", "with 0 the adapter would change nothing"),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => self.refuse(key, "expected true or false", EDITED),
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&str>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => self.refuse(key, "expected a text", EDITED),
        }
    }
}
