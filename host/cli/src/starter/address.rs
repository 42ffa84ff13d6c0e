//! The address task: hand-labelled US addresses (`training/labeled.xml` of the `usaddress` package, MIT) to prompts and
//! JSON answers.

use diapason_core::{Error, Result};
use diapason_disk::foreign;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use roxmltree::{Document, Node};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// Rows of the training set.
pub const TRAIN: usize = 665;
/// Rows of the test set.
pub const TEST: usize = 200;

const INSTRUCTION: &str = "Write this US address as one JSON object with the keys name, number, street, unit, box, \
                           city, state, zip and country. Leave out the keys that do not apply.";

/// Key of the answer, and the labels that make it up.
const KEYS: [(&str, &[&str]); 9] = [
    ("name", &["Recipient", "BuildingName", "LandmarkName"]),
    ("number", &["AddressNumberPrefix", "AddressNumber", "AddressNumberSuffix"]),
    (
        "street",
        &[
            "StreetNamePreModifier",
            "StreetNamePreDirectional",
            "StreetNamePreType",
            "StreetName",
            "StreetNamePostType",
            "StreetNamePostDirectional",
            "StreetNamePostModifier",
        ],
    ),
    ("unit", &["OccupancyType", "OccupancyIdentifier", "SubaddressType", "SubaddressIdentifier"]),
    ("box", &["USPSBoxType", "USPSBoxID", "USPSBoxGroupType", "USPSBoxGroupID"]),
    ("city", &["PlaceName"]),
    ("state", &["StateName"]),
    ("zip", &["ZipCode", "ZipPlus4"]),
    ("country", &["CountryName"]),
];

/// A training and a test set, as JSONL.
pub struct Split {
    /// [`TRAIN`] rows.
    pub train: String,
    /// [`TEST`] rows.
    pub test: String,
}

/// Reads `labeled.xml` and splits its usable addresses by `seed`.
///
/// An address is usable when it names a city and a state, each of its labels belongs to a key, and the words of a key
/// stand together. An address that comes twice counts once.
pub fn split(xml: &str, seed: u64) -> Result<Split> {
    foreign::guarded("the labelled addresses", || read(xml, seed))
}

fn read(xml: &str, seed: u64) -> Result<Split> {
    let document = Document::parse(xml).map_err(|error| {
        Error::data("failed to read the labelled addresses")
            .because(error)
            .hint("expected usaddress's training/labeled.xml")
    })?;
    let mut seen = HashSet::new();
    let addresses = document.root_element().children().filter(Node::is_element);
    let mut rows: Vec<Value> =
        addresses.filter_map(row).filter(|(text, _)| seen.insert(text.clone())).map(|(_, row)| row).collect();
    if rows.len() < TRAIN + TEST {
        let found = format!("{} usable addresses, expected at least {}", rows.len(), TRAIN + TEST);
        return Err(Error::data(found).hint("expected usaddress's training/labeled.xml"));
    }
    rows.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));
    let rows = singular_first(rows);
    Ok(Split { test: lines(&rows[..TEST]), train: lines(&rows[TEST..TEST + TRAIN]) })
}

/// Puts the addresses that come once before those that differ from another one in case or punctuation only: the test set
/// is taken from the front, so that none of its rows has its like in the training set.
fn singular_first(rows: Vec<Value>) -> Vec<Value> {
    let mut times: HashMap<String, usize> = HashMap::new();
    for row in &rows {
        *times.entry(normal(row)).or_default() += 1;
    }
    let (mut singular, repeated): (Vec<Value>, Vec<Value>) =
        rows.into_iter().partition(|row| times.get(&normal(row)) == Some(&1));
    singular.extend(repeated);
    singular
}

/// Letters and digits of the prompt in lower case.
fn normal(row: &Value) -> String {
    let prompt = row["prompt"].as_str().unwrap_or_default();
    prompt.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The address's text and its row, where it is usable.
fn row(address: Node<'_, '_>) -> Option<(String, Value)> {
    let text: String =
        address.descendants().filter_map(|node| if node.is_text() { node.text() } else { None }).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let answer = Value::Object(fields(address)?);
    let row = json!({"prompt": format!("{INSTRUCTION}\n\n{text}"), "completion": answer.to_string()});
    Some((text, row))
}

/// The answer's keys in the order of the text; `None` where the address is not usable.
fn fields(address: Node<'_, '_>) -> Option<Map<String, Value>> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for label in address.children().filter(Node::is_element) {
        let (key, _) = KEYS.iter().find(|(_, labels)| labels.contains(&label.tag_name().name()))?;
        let word = label.text()?.trim();
        match fields.iter().position(|(known, _)| known == key) {
            None => fields.push((key, word.to_owned())),
            Some(place) if place + 1 == fields.len() => fields[place].1 = format!("{} {word}", fields[place].1),
            Some(_) => return None,
        }
    }
    let named = |wanted| fields.iter().any(|(key, _)| *key == wanted);
    (named("city") && named("state")).then(|| {
        let clean = |words: &str| words.trim_matches([',', ';', ' ']).into();
        fields.iter().map(|(key, words)| ((*key).to_owned(), clean(words))).collect()
    })
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(inner: &str) -> Option<(String, Value)> {
        let xml = format!("<AddressString>{inner}</AddressString>");
        let document = Document::parse(&xml).expect("well-formed");
        row(document.root_element())
    }

    #[test]
    fn joins_the_words_of_a_key_and_drops_commas() {
        let (text, row) = first(
            "<AddressNumber>9</AddressNumber> <StreetName>Huer</StreetName> <StreetNamePostType>Road,</StreetNamePostType> \
             <PlaceName>Creston,</PlaceName> <StateName>CA</StateName>",
        )
        .expect("usable");
        assert_eq!(text, "9 Huer Road, Creston, CA");
        assert_eq!(row["completion"], r#"{"number":"9","street":"Huer Road","city":"Creston","state":"CA"}"#);
    }

    #[test]
    fn a_key_in_two_places_is_not_usable() {
        let split = "<PlaceName>A</PlaceName> <StateName>B</StateName> <PlaceName>C</PlaceName>";
        assert!(first(split).is_none());
        assert!(first("<PlaceName>A</PlaceName> <NotAddress>B</NotAddress> <StateName>C</StateName>").is_none());
    }

    #[test]
    fn an_address_and_its_like_both_go_to_training() {
        let row = |text: &str| json!({"prompt": text});
        let sorted =
            singular_first(vec![row("1 Elm St, Reno"), row("2 Oak Av"), row("1 ELM ST. Reno"), row("3 Ash Rd")]);
        assert_eq!(sorted, [row("2 Oak Av"), row("3 Ash Rd"), row("1 Elm St, Reno"), row("1 ELM ST. Reno")]);
    }

    #[test]
    fn hostile_xml_is_an_error() {
        let deep = format!("{}{}", "<a>".repeat(1_000_000), "</a>".repeat(1_000_000));
        let bomb = (1..40).fold(String::from("<!ENTITY e0 \"aaaaaaaaaa\">"), |text, n| {
            text + &format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10))
        });
        let bomb = format!("<!DOCTYPE a [{bomb}]><a>&e39;</a>");
        let whole = "<AddressCollection><AddressString><PlaceName>A,</PlaceName></AddressString></AddressCollection>";
        let cut = (0..whole.len()).map(|to| whole[..to].to_owned());
        for xml in cut.chain([deep, bomb, "<a>".repeat(100_000), "\0".into()]) {
            let error = split(&xml, 1).err().expect("an error");
            assert!(error.hint_text().is_some(), "{error}");
        }
    }

    #[test]
    fn too_few_addresses_are_an_error() {
        let error = split("<AddressCollection/>", 1).err().expect("an error");
        assert!(error.to_string().contains("0 usable addresses"));
    }
}
