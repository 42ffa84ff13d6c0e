//! What is learnt where the template does not say so.
//!
//! The conversation is rendered once as it is, once with words of our own for the assistant's, and once up to the last
//! answer as inference would be prompted for it; once more for each other role that an answer follows. The engine says
//! what each turn wrote, our words say where in it the answer stands, and the prompts say how much before it is given.
//!
//! Learnt is, of each of the assistant's turns, what stands behind the prompt: the answer with its reasoning and calls,
//! and what ends the turn.

use crate::Scene;
use crate::place::{Place, Stage};
use crate::turns::{self, Turn};
use diapason_plugin::{Result, Segment};
use jinja::Trace;

/// The segments of a conversation.
pub(crate) fn segments(scene: &Scene, turns: &[Turn]) -> Result<Vec<Segment>> {
    let stage = Stage::set(scene, turns)?;
    let text = stage.text();
    let learnt: Vec<usize> = (0..turns.len()).filter(|index| turns::is_learnt(&turns[*index])).collect();
    let prompts = Prompts::of(scene, &stage, &learnt)?;
    let (mut segments, mut done) = (Vec::new(), 0);
    for index in &learnt {
        let place = stage.place(*index)?;
        if Some(index) != learnt.last() && stage.is_cut(*index, &place) {
            continue;
        }
        let start = prompts.start(*index, &place, &stage).max(done);
        let end = stage.end(*index, &place);
        if end < start {
            return Err(format!("turn {}: the template does not write the answers in their order", index + 1));
        }
        segments.push(Segment::given(&text[done..start]));
        segments.push(Segment::learnt(&text[start..end]));
        done = end;
    }
    segments.push(Segment::given(&text[done..]));
    segments.retain(|segment| !segment.text.is_empty());
    Ok(segments)
}

/// What inference is prompted with for some of the answers: the last, and the first behind each role.
struct Prompts(Vec<Prompt>);

struct Prompt {
    /// The answer that it asks for.
    index: usize,
    /// The role that the answer follows.
    behind: String,
    text: String,
    /// What it writes behind the turns: the header of the answer's turn.
    header: String,
}

impl Prompts {
    fn of(scene: &Scene, stage: &Stage, learnt: &[usize]) -> Result<Self> {
        let mut prompts: Vec<Prompt> = Vec::new();
        for index in learnt.iter().rev().take(1).chain(learnt) {
            let Some(behind) = index.checked_sub(1).map(|before| stage.role(before)) else { continue };
            if prompts.iter().any(|prompt| prompt.behind == behind) {
                continue;
            }
            prompts.extend(Prompt::of(scene, stage, *index, behind)?);
        }
        Ok(Self(prompts))
    }

    /// Where the learnt part of an answer starts in the whole.
    fn start(&self, index: usize, place: &Place, stage: &Stage) -> usize {
        let whole = stage.text();
        let same = self.0.iter().find(|prompt| prompt.index == index);
        if let Some(prompt) = same.filter(|prompt| whole.starts_with(&prompt.text)) {
            if prompt.text.len() <= place.own_start(whole) {
                return prompt.text.len();
            }
        }
        let behind = index.checked_sub(1).map(|before| stage.role(before));
        let known = self.0.iter().find(|prompt| Some(prompt.behind.as_str()) == behind).or(self.0.first());
        let written = &whole[place.written.clone()];
        let before = place.before.as_deref().unwrap_or(written);
        let length = match known.map(|prompt| (prompt, common(before, &prompt.header))) {
            // Nobody can be prompted for it, or the header is another: what stands before the answer is given.
            None => place.before.as_deref().map_or(0, str::len),
            Some((prompt, 0)) if !prompt.header.is_empty() => place.before.as_deref().map_or(0, str::len),
            Some((_, length)) => length,
        };
        place.written.start + common(written, &before[..length])
    }
}

impl Prompt {
    /// None where the template renders no such prompt.
    fn of(scene: &Scene, stage: &Stage, index: usize, behind: &str) -> Result<Option<Self>> {
        let Ok(rendered) = scene.render(&stage.values()[..index], true, Trace::Turns) else { return Ok(None) };
        let (text, whole) = (rendered.text, stage.text());
        let place = stage.place(index)?;
        let header = match place.written.start.checked_sub(text.len()) {
            None | Some(0) if whole.starts_with(&text) && text.len() <= place.written.end => {
                whole[place.written.start..text.len()].to_owned()
            }
            _ => text[rendered.turns.iter().map(|turn| turn.written.end).max().unwrap_or(0)..].to_owned(),
        };
        Ok(Some(Self { index, behind: behind.to_owned(), text, header }))
    }
}

/// How many bytes two texts have in common at their start.
fn common(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}
