//! What inference is prompted with, and so where in an answer's turn the learnt part starts.

use crate::Scene;
use crate::stage::{Place, Stage};
use crate::turns::{common, whole_tags};
use diapason_plugin::Result;
use jinja::{Rendered, Trace};

/// The prompts for some of the answers: the last, and the first behind each other role.
pub(crate) struct Prompts(Vec<Prompt>);

struct Prompt {
    /// The answer that it asks for.
    index: usize,
    /// The role that the answer follows.
    behind: String,
    text: String,
    /// What it writes behind the turns, the header of the answer's turn. None where that cannot be seen.
    header: Option<String>,
}

impl Prompts {
    pub(crate) fn of(scene: &Scene, stage: &Stage, learnt: &[usize]) -> Result<Self> {
        let mut prompts: Vec<Prompt> = Vec::new();
        for index in learnt.iter().rev().take(1).chain(learnt) {
            let Some(behind) = behind(stage, *index).filter(|role| prompts.iter().all(|known| known.behind != *role))
            else {
                continue;
            };
            // A template may refuse to prompt here: then the other prompts have to do.
            let Ok(rendered) = scene.render(&stage.values()[..*index], true, Trace::Turns) else { continue };
            let place = stage.place(*index)?;
            let header = header(&rendered, stage, *index, &place).or_else(|| {
                let is_bare = place.before.as_deref().is_some_and(|before| before.trim().is_empty());
                (is_bare && has_no_header(scene, stage, *index, &rendered)).then(String::new)
            });
            prompts.push(Prompt { index: *index, behind: behind.to_owned(), text: rendered.text, header });
        }
        Ok(Self(prompts))
    }

    /// Whether a prompt ends with a text.
    pub(crate) fn end_with(&self, text: &str) -> bool {
        !text.is_empty() && self.0.iter().any(|prompt| prompt.text.trim_end().ends_with(text))
    }

    /// Where the learnt part of an answer starts in the whole.
    ///
    /// Where the whole starts with the prompt for this answer, it starts behind the prompt. Where it does not, because
    /// the template writes turns otherwise once more follow, what the prompt writes behind the turns is looked for in
    /// front of the answer:
    /// - all of it is there: behind it, as the model has to write the rest of what stands before the answer;
    /// - a part of it is all that stands before the answer (`<think>` is prompted for, but not kept): before the answer;
    /// - the two part (an empty `<think></think>` is written only in turns that are over): before the answer as well. The
    ///   model is prompted otherwise, and what the template writes here in its place is never the model's to write.
    pub(crate) fn start(&self, index: usize, place: &Place, stage: &Stage) -> usize {
        let (whole, from) = (stage.text(), place.written.start);
        let is_exact = |prompt: &&Prompt| prompt.index == index && !prompt.is_open() && whole.starts_with(&prompt.text);
        let exact = self.0.iter().find(is_exact);
        if let Some(prompt) = exact.filter(|prompt| prompt.text.len() <= place.written.end) {
            return prompt.text.len();
        }
        let written = &whole[place.written.clone()];
        let behind = behind(stage, index);
        let known = self.0.iter().find(|prompt| Some(prompt.behind.as_str()) == behind).or(self.0.first());
        let header = known.and_then(|prompt| prompt.header.as_deref());
        let Some(before) = place.before.as_deref() else {
            return from + whole_tags(&written[..common(written, header.unwrap_or_default())]);
        };
        let shared = header.map_or(0, |header| common(before, header));
        let all = header.is_some_and(|header| header.len() == shared) && known.is_some_and(|prompt| !prompt.is_open());
        let length = if all { shared } else { before.len() };
        let there = common(written, &before[..length]);
        let rest = if there < length { &before[there..length] } else { &header.unwrap_or_default()[shared..] };
        from + there + closing(&written[there..], rest)
    }
}

impl Prompt {
    /// Whether it leaves the assistant's turn before open instead of beginning one.
    fn is_open(&self) -> bool {
        self.behind == "assistant" && self.header.as_ref().is_none_or(String::is_empty)
    }
}

/// How far a turn's reasoning goes that the prompt has closed already, as it does where thinking is switched off: what
/// inference has in the prompt is not learnt. `rest` is what the prompt goes on with.
fn closing(written: &str, rest: &str) -> usize {
    let close = rest.trim();
    match written.find(close) {
        Some(at) if close.starts_with("</") => {
            let behind = &written[at + close.len()..];
            at + close.len() + behind.len() - behind.trim_start().len()
        }
        _ => 0,
    }
}

fn behind<'a>(stage: &'a Stage, index: usize) -> Option<&'a str> {
    index.checked_sub(1).map(|before| stage.role(before))
}

/// What a prompt writes behind the turns.
fn header(prompt: &Rendered, stage: &Stage, index: usize, place: &Place) -> Option<String> {
    let (text, whole) = (&prompt.text, stage.text());
    if whole.starts_with(text.as_str()) && text.len() <= place.written.end {
        return Some(whole.get(place.written.start..text.len()).unwrap_or_default().to_owned());
    }
    // A template may write the header while it is at the last turn, which wrote less in the whole.
    let last = prompt.turns.iter().max_by_key(|turn| turn.written.end)?;
    let same = stage.written(last.index).into_iter().map(|range| &whole[range]);
    let wrote = &text[last.written.clone()];
    let length = same.filter(|same| wrote.starts_with(same)).map(str::len).max().unwrap_or(wrote.len());
    let header = &text[last.written.start + length..];
    (last.index + 1 == index && !header.is_empty()).then(|| header.to_owned())
}

/// Whether the prompt for an answer is the turns before it and no more.
fn has_no_header(scene: &Scene, stage: &Stage, index: usize, prompt: &Rendered) -> bool {
    let turns = scene.render(&stage.values()[..index], false, Trace::None);
    turns.is_ok_and(|turns| turns.text == prompt.text)
}
