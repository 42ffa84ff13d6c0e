//! What is learnt where the template does not say so.
//!
//! The conversation is rendered once as it is, once with words of our own for the assistant's, and once up to the last
//! answer as inference would be prompted for it; once more for each other role that an answer follows. The engine says
//! what each turn wrote, our words say where in it the answer stands, and the prompts say how much before it is given.
//! However long a conversation is, there are a handful of renderings.
//!
//! Learnt is, of each of the assistant's turns, what stands behind the prompt: the answer with its reasoning and calls,
//! and what ends the turn. An answer of which the template cut out a part, because later turns follow, is context: it
//! would teach the model to leave that part out. Inference sees it in the same form, as context.

use crate::Scene;
use crate::cut::Cuts;
use crate::prompts::Prompts;
use crate::replies::Replies;
use crate::stage::{Place, Stage};
use crate::turns::{self, Turn};
use diapason_plugin::{Result, Segment};

/// The segments of a conversation.
pub(crate) fn segments(scene: &Scene, turns: &[Turn]) -> Result<Vec<Segment>> {
    let stage = Stage::set(scene, turns)?;
    let text = stage.text();
    let learnt: Vec<usize> = (0..turns.len()).filter(|index| turns::is_learnt(&turns[*index])).collect();
    let prompts = Prompts::of(scene, &stage, &learnt)?;
    let mut cuts = Cuts::new(scene, &stage);
    let mut replies = Replies::new(scene, &stage);
    let (mut segments, mut done) = (Vec::new(), 0);
    for index in &learnt {
        let place = stage.place(*index)?;
        if Some(index) != learnt.last() && cuts.has(*index, &place) {
            continue;
        }
        if says_nothing(&stage, *index, &place) {
            return Err(format!(
                "turn {}: the template writes nothing of the answer but what ends it: it leaves reasoning out, and the \
                 turn has no more than that",
                index + 1
            ));
        }
        let start = prompts.start(*index, &place, &stage).max(done);
        let end = stage.end(*index, &place, start, |text| prompts.end_with(text)).max(start);
        let end = replies.end(*index, &place, start, end).ok_or_else(|| {
            format!("turn {}: the template writes the reply to a call into the turn that calls, and it cannot be told where", index + 1)
        })?;
        segments.push(Segment::given(&text[done..start]));
        segments.push(Segment::learnt(&text[start..end]));
        done = end;
    }
    segments.push(Segment::given(&text[done..]));
    segments.retain(|segment| !segment.text.is_empty());
    Ok(segments)
}

/// Whether nothing of an answer is written, though it says something: learning it would teach the model to be silent.
fn says_nothing(stage: &Stage, index: usize, place: &Place) -> bool {
    let turn = stage.turn(index);
    let given = |name: &str| turns::text(turn, name).map(str::trim).filter(|text| !text.is_empty());
    match (turns::calls(turn).next(), given("content"), given("reasoning_content")) {
        (Some(_), _, _) => false,
        (None, Some(_), _) => place.inner(stage.text()) == Some(""),
        (None, None, Some(thought)) => !stage.text()[place.written.clone()].contains(thought),
        (None, None, None) => false,
    }
}
