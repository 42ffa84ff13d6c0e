//! The tasks of the embedded base: five it is trained on (reading, facts, words, notation, sums) and one it is not:
//! extraction, which only the demo's fine-tuning sees. The base can read an order and can write JSON, but nobody ever
//! asked it for both at once.

use super::words::{CAPITALS, COLOURS, DAYS, ITEMS, KINDS, NAMES, OPPOSITES};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};

/// A prompt and its only right answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Row {
    /// What the user says.
    pub(super) prompt: String,
    /// What the assistant has to say.
    pub(super) answer: String,
}

/// The pretraining tasks, each with its share of the corpus.
pub(super) const PRETRAINING: &[(&str, u32)] =
    &[("reading", 5), ("facts", 2), ("words", 3), ("notation", 3), ("sums", 1)];

/// One row of a task.
pub(super) fn row(task: &str, rng: &mut impl Rng) -> Row {
    match task {
        "reading" => reading(rng),
        "facts" => facts(rng),
        "words" => words(rng),
        "notation" => notation(rng),
        "sums" => sums(rng),
        "extraction" => extraction(rng),
        other => unreachable!("task {other} is not one of this module's"),
    }
}

/// An order, told in one of several ways; the base reads it, the demo extracts it.
struct Order {
    name: &'static str,
    count: u32,
    colour: &'static str,
    item: &'static str,
    city: &'static str,
    day: &'static str,
}

impl Order {
    fn any(rng: &mut impl Rng) -> Self {
        Self {
            name: pick(NAMES, rng),
            count: rng.random_range(2..=40),
            colour: pick(COLOURS, rng),
            item: pick(ITEMS, rng),
            city: pick(CAPITALS, rng).1,
            day: pick(DAYS, rng),
        }
    }

    fn fields<'a>(&'a self, count: &'a str) -> [(&'static str, &'a str); 6] {
        let Self { name, colour, item, city, day, .. } = *self;
        [("name", name), ("count", count), ("colour", colour), ("item", item), ("city", city), ("day", day)]
    }

    fn tell(&self, rng: &mut impl Rng) -> String {
        let Self { name, count, colour, item, city, day } = self;
        match rng.random_range(0..6) {
            0 => format!("{name} from {city} ordered {count} {colour} {item} on {day}."),
            1 => format!("On {day} {name} ordered {count} {colour} {item} to {city}."),
            2 => format!("Please send {count} {colour} {item} to {name} in {city} by {day}."),
            3 => format!("Order of {day}: {count} {item}, {colour}, for {name}, {city}."),
            4 => format!("{count} {colour} {item} go to {city} on {day}, bought by {name}."),
            _ => format!("In {city}, {name} needs {count} {item} in {colour} before {day}."),
        }
    }
}

/// The demo's task: the order as a JSON object.
fn extraction(rng: &mut impl Rng) -> Row {
    let order = Order::any(rng);
    let Order { name, count, colour, item, city, day } = &order;
    Row {
        prompt: format!("Extract as JSON: {}", order.tell(rng)),
        answer: format!(
            r#"{{"name": "{name}", "count": {count}, "colour": "{colour}", "item": "{item}", "city": "{city}", "day": "{day}"}}"#
        ),
    }
}

/// Fields and lists written down as JSON, without anything to read them from.
fn notation(rng: &mut impl Rng) -> Row {
    if rng.random_bool(0.3) {
        let list = some_words(rng);
        let quoted: Vec<_> = list.iter().map(|word| format!("\"{word}\"")).collect();
        return Row {
            prompt: format!("Write as JSON: {}", list.join(" ")),
            answer: format!("[{}]", quoted.join(", ")),
        };
    }
    let order = Order::any(rng);
    let count = order.count.to_string();
    let mut fields = order.fields(&count);
    fields.shuffle(rng);
    let fields = &fields[..rng.random_range(1..=6)];
    let told: Vec<_> = fields.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let written: Vec<_> = fields
        .iter()
        .map(
            |(name, value)| {
                if *name == "count" { format!("\"{name}\": {value}") } else { format!("\"{name}\": \"{value}\"") }
            },
        )
        .collect();
    Row { prompt: format!("Write as JSON: {}", told.join(", ")), answer: format!("{{{}}}", written.join(", ")) }
}

/// A question about an order, or several of its fields in a given sequence.
fn reading(rng: &mut impl Rng) -> Row {
    let order = Order::any(rng);
    let told = order.tell(rng);
    let count = order.count.to_string();
    let fields = order.fields(&count);
    if rng.random_bool(0.6) {
        let mut wanted = fields;
        wanted.shuffle(rng);
        let wanted = &wanted[..rng.random_range(2..=6)];
        let names: Vec<_> = wanted.iter().map(|(name, _)| *name).collect();
        let lines: Vec<_> = wanted.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        return Row { prompt: format!("{told} List {}.", names.join(", ")), answer: lines.join("; ") };
    }
    let (field, value) = pick(&fields, rng);
    let question = match field {
        "name" => "Who ordered?",
        "count" => "How many?",
        "colour" => "Which colour?",
        "item" => "What was ordered?",
        "city" => "Which city?",
        _ => "Which day?",
    };
    Row { prompt: format!("{told} {question}"), answer: value.into() }
}

/// Things to know by heart.
fn facts(rng: &mut impl Rng) -> Row {
    let (prompt, answer) = match rng.random_range(0..4) {
        0 => {
            let (country, capital) = pick(CAPITALS, rng);
            (format!("What is the capital of {country}?"), capital)
        }
        1 => {
            let (country, capital) = pick(CAPITALS, rng);
            (format!("{capital} is the capital of which country?"), country)
        }
        2 => {
            let (word, opposite) = pick(OPPOSITES, rng);
            if rng.random_bool(0.5) {
                (format!("What is the opposite of {word}?"), opposite)
            } else {
                (format!("What is the opposite of {opposite}?"), word)
            }
        }
        _ => {
            let (animal, kind) = pick(KINDS, rng);
            (format!("Which kind of animal is the {animal}?"), kind)
        }
    };
    Row { prompt, answer: answer.into() }
}

/// Things to do with a list of words.
fn words(rng: &mut impl Rng) -> Row {
    let list = some_words(rng);
    let told = list.join(" ");
    let (prompt, answer) = match rng.random_range(0..4) {
        0 => (format!("First word: {told}"), list[0].to_string()),
        1 => (format!("Last word: {told}"), list[list.len() - 1].to_string()),
        2 => (format!("Repeat: {told}"), told),
        _ => (format!("With commas: {told}"), list.join(", ")),
    };
    Row { prompt, answer }
}

fn some_words(rng: &mut impl Rng) -> Vec<&'static str> {
    let pool = [NAMES, ITEMS, COLOURS, DAYS][rng.random_range(0..4)];
    let length = rng.random_range(3..=5);
    pool.sample(rng, length).copied().collect()
}

/// Small sums.
fn sums(rng: &mut impl Rng) -> Row {
    let (a, b) = (rng.random_range(0..=12), rng.random_range(0..=12));
    Row { prompt: format!("{a} + {b} ="), answer: (a + b).to_string() }
}

fn pick<T: Copy>(from: &[T], rng: &mut impl Rng) -> T {
    *from.choose(rng).unwrap_or_else(|| unreachable!("the lists of this module are not empty"))
}
