//! Rows that the chat template refuses or does not write whole: `train` or `eval` would end at the first of them.

use super::tokens::untaught;
use super::validate::Split;
use super::{Session, suite};
use crate::wire::{Origin, Renderer};
use diapason_core::digest;
use diapason_core::finding::{Finding, Row, Severity};
use diapason_core::sample::{Conversation, Sample};
use diapason_core::{Error, Result};
use diapason_model::{Chat, Model};
use diapason_project::dataset::{self, Selection};

/// Rows of one call; those of a call that fails are rendered one by one.
const ROWS: usize = 256;

/// A template that refuses so many rows refuses all of them, or as good as.
const MOST: usize = 100;

/// One finding for each row that cannot be rendered for `model`, to be learned or to be answered.
pub(super) fn findings(session: &mut Session, model: &Model, train: Option<&Split>, suites: &[Split]) -> Vec<Finding> {
    let config = session.plan.config.clone();
    let adapter = config.model.adapter.as_deref();
    let mut renderer = match Renderer::new(&config.template, adapter, &mut session.plugins, model, &session.grants) {
        Ok(renderer) => renderer,
        Err(error) => return train.into_iter().chain(suites).take(1).map(|split| finding(split, 0, &error)).collect(),
    };
    let mut found = Vec::new();
    // Beside an adapter nothing is trained.
    if let (Some(data), Some(train), None) = (&config.data, train, adapter) {
        let selection = Selection { limit: None, system: data.system.as_deref(), variables: None };
        let learned = |sample: Sample| untaught(&sample).is_none().then(|| Conversation::training(&sample));
        found.extend(refused(train, &selection, learned, |rows| renderer.training(rows).map(drop)));
    }
    for (suite, split) in config.suites.iter().zip(suites) {
        let asked = |sample: Sample| Some(Conversation::prompt(&sample));
        found.extend(refused(split, &suite::selection(suite), asked, |rows| renderer.prompts(rows).map(drop)));
    }
    found
}

/// The rows that `render` refuses; those that cannot be read are findings of others.
fn refused(
    split: &Split,
    selection: &Selection<'_>,
    conversation: impl Fn(Sample) -> Option<Conversation>,
    mut render: impl FnMut(&[Conversation]) -> Result<()>,
) -> Vec<Finding> {
    let read = |row: &Row| {
        let sample = dataset::completed(dataset::sample(row).ok()?, selection);
        Some((row.line, conversation(sample)?))
    };
    let (lines, rows): (Vec<u32>, Vec<Conversation>) = split.rows.iter().filter_map(read).unzip();
    let mut found = Vec::new();
    for (lines, batch) in lines.chunks(ROWS).zip(rows.chunks(ROWS)) {
        if render(batch).is_ok() {
            continue;
        }
        for (line, conversation) in lines.iter().zip(batch) {
            if let Err(error) = render(std::slice::from_ref(conversation)) {
                found.push(finding(split, *line, &error));
            }
            if found.len() == MOST {
                let more =
                    Error::data(format!("{MOST} rows cannot be rendered; those behind line {line} were not tried"));
                found.push(finding(split, 0, &more.hint("look at the template first")));
                return found;
            }
        }
    }
    found
}

fn finding(split: &Split, line: u32, error: &Error) -> Finding {
    let message = error.to_string();
    Finding {
        validator: "diapason".into(),
        severity: Severity::Error,
        rule: "unrendered".into(),
        split: split.name.clone(),
        line,
        path: String::new(),
        // It was rendered alone.
        message: message.strip_prefix("row 1: ").unwrap_or(&message).to_owned(),
        hint: error.hint_text().unwrap_or_default().to_owned(),
    }
}

/// What the findings depend on beside the rows.
pub(super) fn digest(session: &mut Session) -> Result<String> {
    let config = session.plan.config.clone();
    let chat = Chat::of(&config.model.path).map_or_else(|error| error.to_string(), |chat| format!("{chat:?}"));
    let origin = Origin::of(&config.template, config.model.adapter.as_deref());
    let origin = origin.map_or_else(|error| error.to_string(), |origin| origin.digest());
    let plugin = session.plugins.get(&config.template.plugin)?.sha256().to_owned();
    let settings = serde_json::Value::Object(config.template.settings.clone()).to_string();
    let data = config.data.iter().map(|data| serde_json::json!(data.system));
    let suites = config.suites.iter().map(|suite| serde_json::json!([suite.system, suite.template_variables]));
    let selected = serde_json::Value::from_iter(data.chain(suites)).to_string();
    let trained = config.model.adapter.is_none().to_string();
    Ok(digest::of_parts([
        ("model's templates", chat.as_str()),
        ("template", &origin),
        ("plugin", &plugin),
        ("settings", &settings),
        ("selection", &selected),
        ("trained", &trained),
    ]))
}
