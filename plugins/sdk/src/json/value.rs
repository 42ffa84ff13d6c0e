//! Reads a JSON value and notes keys that stand twice.

use super::Document;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::RefCell;
use std::fmt;

/// Reads a text that is one value and nothing else.
pub(super) fn whole(text: &str) -> serde_json::Result<Document> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let document = read(&mut reader)?;
    reader.end()?;
    Ok(document)
}

/// Reads the value that a text starts with, and its length in bytes.
pub(super) fn leading(text: &str) -> serde_json::Result<(Document, usize)> {
    // The stream tells where a value ends, the reader which keys stand twice.
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    match stream.next() {
        Some(Ok(_)) => {}
        Some(Err(cause)) => return Err(cause),
        None => return Err(serde_json::Error::custom("nothing to read")),
    }
    let length = stream.byte_offset();
    Ok((whole(&text[..length])?, length))
}

fn read(reader: &mut serde_json::Deserializer<serde_json::de::StrRead<'_>>) -> serde_json::Result<Document> {
    let duplicates = RefCell::new(Vec::new());
    let value = Place { pointer: String::new(), duplicates: &duplicates }.deserialize(reader)?;
    Ok(Document { value, duplicates: duplicates.into_inner() })
}

/// A place in the document, and where to note duplicates.
struct Place<'a> {
    pointer: String,
    duplicates: &'a RefCell<Vec<String>>,
}

impl<'a> Place<'a> {
    fn member(&self, key: &str) -> Place<'a> {
        let key = key.replace('~', "~0").replace('/', "~1");
        Place { pointer: format!("{}/{key}", self.pointer), duplicates: self.duplicates }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.member(&list.len().to_string()))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let place = self.member(&key);
            if map.contains_key(&key) {
                self.duplicates.borrow_mut().push(place.pointer.clone());
            }
            let value = members.next_value_seed(place)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
