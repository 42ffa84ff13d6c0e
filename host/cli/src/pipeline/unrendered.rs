//! Rows that the chat template refuses, at the first of which `train` or `eval` would end, and what it leaves out of others.

use super::split::Split;
use super::tokens::untaught;
use super::{Session, suite};
use crate::wire::{Kind, Loss, Origin, Renderer};
use diapason_core::digest;
use diapason_core::finding::{Finding, Severity};
use diapason_core::sample::{Conversation, Sample};
use diapason_core::{Error, Result};
use diapason_models::{Chat, Model};
use diapason_project::dataset::{self, Selection};

/// Rows of one call; those of a call that fails are rendered one by one.
const ROWS: usize = 256;

/// A template that refuses so many rows refuses all of them, or as good as.
const MOST: usize = 100;

/// One finding for each row that cannot be rendered for `model`, to be learned or to be answered, and for what is left out.
pub(super) fn findings(session: &mut Session, model: &Model, train: Option<&Split>, suites: &[Split]) -> Vec<Finding> {
    let config = session.plan.config.clone();
    let adapter = config.adapter();
    let mut renderer = match Renderer::new(&config.template, adapter, &mut session.plugins, model, &session.grants) {
        Ok(renderer) => renderer,
        Err(error) => return train.into_iter().chain(suites).take(1).map(|split| finding(split, 0, &error)).collect(),
    };
    let mut found = Vec::new();
    // Beside an adapter nothing is trained.
    if let (Some(data), Some(train), None) = (&config.data, train, adapter) {
        let selection = Selection { limit: None, system: data.system.as_deref(), ..Selection::default() };
        let learned = |sample: Sample| untaught(&sample).is_none().then(|| Conversation::training(&sample));
        found.extend(refused(train, &selection, learned, |rows| {
            renderer.training(rows)?;
            Ok(renderer.losses())
        }));
    }
    for (suite, split) in config.suites.iter().zip(suites) {
        let asked = |sample: Sample| Some(Conversation::prompt(&sample));
        found.extend(refused(split, &suite::selection(suite), asked, |rows| {
            renderer.prompts(rows)?;
            Ok(renderer.losses())
        }));
    }
    found
}

/// The rows that `render` refuses, and what it loses of others; those that cannot be read are findings of others.
fn refused(
    split: &Split,
    selection: &Selection<'_>,
    conversation: impl Fn(Sample) -> Option<Conversation>,
    mut render: impl FnMut(&[Conversation]) -> Result<Vec<(usize, Loss)>>,
) -> Vec<Finding> {
    let read =
        |(line, sample): (u32, &Sample)| Some((line, conversation(dataset::completed(sample.clone(), selection))?));
    let (lines, rows): (Vec<u32>, Vec<Conversation>) = split.readable().filter_map(read).unzip();
    let (mut found, mut losses) = (Vec::new(), Vec::new());
    for (lines, batch) in lines.chunks(ROWS).zip(rows.chunks(ROWS)) {
        if let Ok(lost) = render(batch) {
            losses.extend(lost.into_iter().map(|(row, loss)| (lines[row], loss)));
            continue;
        }
        for (line, conversation) in lines.iter().zip(batch) {
            match render(std::slice::from_ref(conversation)) {
                Ok(lost) => losses.extend(lost.into_iter().map(|(_, loss)| (*line, loss))),
                Err(error) => found.push(finding(split, *line, &error)),
            }
            if found.len() == MOST {
                let more =
                    Error::data(format!("{MOST} rows cannot be rendered; those behind line {line} were not tried"));
                found.push(finding(split, 0, &more.hint("look at the template first")));
                found.extend(lost(split, losses));
                return found;
            }
        }
    }
    found.extend(lost(split, losses));
    found
}

/// What is left out, one finding for each row. Reasoning is one for all: templates leave it out of earlier turns on purpose.
fn lost(split: &Split, losses: Vec<(u32, Loss)>) -> Vec<Finding> {
    let (thoughts, others): (Vec<_>, Vec<_>) = losses.into_iter().partition(|(_, loss)| loss.kind == Kind::Reasoning);
    let mut found: Vec<Finding> = Vec::new();
    for (line, loss) in others {
        match found.last_mut().filter(|last| last.line == line) {
            Some(last) => last.message += &format!("; {}", loss.what),
            None => found.push(unwritten(split, line, Severity::Warning, loss.what)),
        }
    }
    let mut lines: Vec<u32> = thoughts.iter().map(|(line, _)| *line).collect();
    lines.dedup();
    if let (Some((line, loss)), more) = (thoughts.into_iter().next(), lines.len()) {
        let others = if more > 1 { format!(", and reasoning in {} more rows", more - 1) } else { String::new() };
        found.push(unwritten(split, line, Severity::Note, loss.what + &others));
    }
    found
}

fn unwritten(split: &Split, line: u32, severity: Severity, message: String) -> Finding {
    let hint = match severity {
        Severity::Note => "templates do so on purpose, and inference leaves it out too; it is not learned",
        _ => "the model will not see it: use a template that writes it, or take it out of the row",
    };
    Finding { severity, rule: "unwritten".into(), hint: hint.into(), ..finding(split, line, &Error::data(message)) }
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
        message: message.replacen(" at conversation 1:", ":", 1),
        hint: error.hint_text().unwrap_or_default().to_owned(),
    }
}

/// What the findings depend on beside the rows.
pub(super) fn digest(session: &mut Session) -> Result<String> {
    let config = session.plan.config.clone();
    let chat = config.base().and_then(|model| Chat::of(&model.path));
    let chat = chat.map_or_else(|error| error.to_string(), |chat| format!("{chat:?}"));
    let origin = Origin::of(&config.template, config.adapter());
    let origin = origin.map_or_else(|error| error.to_string(), |origin| origin.digest());
    let plugin = session.plugins.get(&config.template.plugin)?.sha256().to_owned();
    let settings = serde_json::Value::Object(config.template.settings.clone()).to_string();
    let data = config.data.iter().map(|data| serde_json::json!(data.system));
    let suites =
        config.suites.iter().map(|suite| serde_json::json!([suite.system, suite.template_variables, suite.task]));
    let selected = serde_json::Value::from_iter(data.chain(suites)).to_string();
    let trained = config.trains().to_string();
    Ok(digest::of_parts([
        ("model's templates", chat.as_str()),
        ("template", &origin),
        ("plugin", &plugin),
        ("settings", &settings),
        ("selection", &selected),
        ("trained", &trained),
    ]))
}
