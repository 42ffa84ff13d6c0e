//! The rows of a task: questions with their examples as turns, choices and references.

use super::cells;
use super::docs::Docs;
use super::field::{Doc, Made, Reader};
use super::sampler::Sampler;
use super::scoring::Output;
use super::sources::Format;
use super::task::{Fields, Pool, Task};
use diapason_core::{Error, Result};
use serde_json::{Map, Value, json};

impl Task {
    /// The questions as rows of a dataset, one JSON object a line. `splits` are the rows of each split that
    /// [`Task::files`] names, in that order.
    ///
    /// # Errors
    /// A row does not fit the task; the message names the split and the row.
    pub fn rows(&self, splits: Vec<(String, Vec<Map<String, Value>>)>) -> Result<String> {
        let table = self.sources.format == Format::Csv;
        let named = |(name, rows): (String, Vec<Doc>)| {
            let rows = if table { cells::typed(rows) } else { Ok(rows) };
            let docs = rows.and_then(Docs::of).map_err(|error| error.context(format!("split `{name}`")))?;
            Ok((name, docs))
        };
        let splits = splits.into_iter().map(named).collect::<Result<Vec<(String, Docs)>>>()?;
        for pair in splits.windows(2) {
            let ((own, docs), (other, others)) = (&pair[0], &pair[1]);
            docs.same_columns(own, others, other)?;
            others.same_columns(other, docs, own)?;
        }
        let asked = rows_of(&splits, &self.asked)?;
        let pool = match &self.examples.from {
            Pool::Split(name) => &rows_of(&splits, name)?.rows,
            Pool::Written(written) => written,
        };
        self.questions(asked, pool)
    }

    fn questions(&self, asked: &Docs, pool: &[Doc]) -> Result<String> {
        let columns = &asked.columns;
        let maker = Maker::new(&self.fields, columns, self.fields.choice.is_some())?;
        let shown = Maker::new(&self.examples.fields, columns, self.fields.choice.is_some())?;
        let description = self.description.as_ref();
        let description = description.map(|field| Reader::new("description", field, columns, false)).transpose()?;
        let own = self.examples.split == self.test;
        let mut sampler = Sampler::new(pool, self.examples.count, self.examples.first, own);
        let mut lines = String::new();
        let mut several = None;
        for (number, doc) in asked.rows.iter().enumerate() {
            let place = |error: Error| error.context(format!("row {} of split `{}`", number + 1, self.asked));
            let mut turns = Vec::new();
            if let Some(description) = &description {
                let text = description.text(doc).map_err(place)?;
                turns.extend((!text.is_empty()).then(|| turn("system", &text)));
            }
            for example in sampler.next(doc).map_err(place)? {
                turns.extend(shown.example(example).map_err(|error| place(error.context("an example")))?);
            }
            turns.push(turn("user", &maker.text.text(doc).map_err(place)?));
            let mut row = json!({"id": number.to_string(), "messages": turns});
            let (choices, references) = maker.answers(self.output, doc).map_err(place)?;
            if *several.get_or_insert(references.is_array()) != references.is_array() {
                let error = Error::data("some rows have one answer and others a list of answers");
                return Err(place(error.hint("the harness takes all rows for what the first one is")));
            }
            if !choices.is_empty() {
                row["choices"] = json!(choices);
            }
            row["reference"] = references;
            lines.push_str(&row.to_string());
            lines.push('\n');
        }
        Ok(lines)
    }
}

fn rows_of<'a>(splits: &'a [(String, Docs)], name: &str) -> Result<&'a Docs> {
    let found = splits.iter().find(|(known, _)| known == name).map(|(_, docs)| docs);
    found.ok_or_else(|| Error::data(format!("split `{name}` was not read")).hint("name its file under `data_files`"))
}

fn turn(role: &str, text: &str) -> Value {
    json!({"role": role, "content": text})
}

/// The fields of a task for data with known columns.
struct Maker {
    text: Reader,
    target: Option<Reader>,
    choice: Option<Reader>,
}

impl Maker {
    fn new(fields: &Fields, columns: &[String], has_choices: bool) -> Result<Self> {
        let reader = |name, field: &Option<_>| {
            field.as_ref().map(|field| Reader::new(name, field, columns, has_choices)).transpose()
        };
        let text = Reader::new("doc_to_text", &fields.text, columns, has_choices)?;
        Ok(Self {
            text,
            target: reader("doc_to_target", &fields.target)?,
            choice: reader("doc_to_choice", &fields.choice)?,
        })
    }

    fn choices(&self, doc: &Doc) -> Result<Vec<String>> {
        self.choice.as_ref().map_or(Ok(Vec::new()), |choice| choice.texts(doc))
    }

    fn target(&self, doc: &Doc) -> Result<Made> {
        let missing = || Error::data("`doc_to_target` is missing").hint("say what is expected");
        self.target.as_ref().ok_or_else(missing)?.target(doc)
    }

    /// A question and its answer.
    fn example(&self, doc: &Doc) -> Result<[Value; 2]> {
        let answer = match (self.target(doc)?, self.choices(doc)?) {
            (Made::Text(text), _) => text,
            (Made::Number(number), choices) if !choices.is_empty() => choices[index(number, &choices)?].clone(),
            (Made::List(items), _) => match items.first() {
                Some(Value::String(first)) => first.clone(),
                _ => return Err(no_text("the first of its answers")),
            },
            (Made::Number(_), _) => return Err(no_text("its answer")),
        };
        if answer.is_empty() {
            return Err(Error::data("its answer is empty").hint("take the row out of the examples"));
        }
        Ok([turn("user", &self.text.text(doc)?), turn("assistant", &answer)])
    }

    /// The choices of a question, and what is expected: a text, or a list of texts.
    fn answers(&self, output: Output, doc: &Doc) -> Result<(Vec<String>, Value)> {
        let choices = self.choices(doc)?;
        let made = self.target(doc)?;
        match output {
            Output::MultipleChoice => {
                let expected = chosen(made, &choices)?;
                Ok((choices, expected))
            }
            Output::Loglikelihood => match made {
                Made::Text(text) if !text.is_empty() => Ok((Vec::new(), text.into())),
                _ => Err(no_text("`doc_to_target`")),
            },
            Output::GenerateUntil if self.choice.is_some() => match made {
                Made::Number(number) => Ok((Vec::new(), choices[index(number, &choices)?].as_str().into())),
                _ => Err(Error::data("`doc_to_target` is not the number of a choice")
                    .hint("where there is `doc_to_choice`, the answer is given by its number")),
            },
            Output::GenerateUntil => Ok((Vec::new(), written(made)?)),
        }
    }
}

fn no_text(what: &str) -> Error {
    Error::data(format!("{what} is no text")).hint("make a text of it by a template, such as `{{answer}}`")
}

fn index(number: i64, choices: &[String]) -> Result<usize> {
    usize::try_from(number).ok().filter(|index| *index < choices.len()).ok_or_else(|| {
        let message = format!("choice {number} is expected, and there are {} choices", choices.len());
        Error::data(message).hint("choices are counted from 0; rows without a known answer cannot be scored")
    })
}

/// The right choices. A choice that stands twice is told apart by its place only.
fn chosen(made: Made, choices: &[String]) -> Result<Value> {
    let text = |number: i64| {
        let index = index(number, choices)?;
        if choices.iter().position(|choice| *choice == choices[index]) != Some(index) {
            let message = format!("choice {number}, the right one, is the same as one before it");
            return Err(Error::data(message).hint("no answer can be told from the other: remove one of them"));
        }
        Ok(Value::from(choices[index].as_str()))
    };
    match made {
        Made::Number(number) => text(number),
        Made::Text(expected) if choices.contains(&expected) => Ok(expected.into()),
        Made::Text(expected) => {
            let error = Error::data(format!("{expected:?} is expected and is none of the choices"));
            Err(error.hint("`doc_to_target` gives one of the choices, or its number"))
        }
        Made::List(items) if !items.is_empty() => {
            let number = |item: &Value| {
                item.as_i64().ok_or_else(|| {
                    Error::data("a right answer is not the number of a choice")
                        .hint("a list of answers is one of numbers")
                })
            };
            Ok(Value::Array(items.iter().map(|item| text(number(item)?)).collect::<Result<_>>()?))
        }
        Made::List(_) => Err(Error::data("no choice is right").hint("rows without a known answer cannot be scored")),
    }
}

/// What a written answer is held against.
fn written(made: Made) -> Result<Value> {
    match made {
        Made::Text(text) => Ok(text.into()),
        Made::Number(number) => Ok(number.to_string().into()),
        Made::List(items) if !items.is_empty() && items.iter().all(Value::is_string) => Ok(items.into()),
        Made::List(_) => Err(Error::data("`doc_to_target` is no list of texts")
            .hint("a list of answers, any of which is right, has at least one, and texts only")),
    }
}
