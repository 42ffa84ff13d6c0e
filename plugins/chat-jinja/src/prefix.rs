//! What is learnt where the template does not say so: the difference between a conversation without an answer and
//! with it.

use crate::Scene;
use crate::turns::{self, Turn};
use diapason_plugin::{Result, Segment};

/// The segments of a conversation: every answer with the token that ends its turn is learnt.
pub(crate) fn segments(scene: &Scene, turns: &[Turn]) -> Result<Vec<Segment>> {
    let whole = scene.text(turns, false)?;
    let (mut segments, mut done) = (Vec::new(), 0);
    for index in (0..turns.len()).filter(|index| turns::is_learnt(&turns[*index])) {
        let before = scene.text(&turns[..index], true)?;
        let after = scene.text(&turns[..index + 1], false)?;
        if !whole.starts_with(&after) || !after.starts_with(&before) || before.len() < done {
            return Err(format!("turn {}: the template does not say what is learnt", index + 1));
        }
        let content = turns::text(&turns[index], "content").unwrap_or_default();
        let end = before.len() + learnt(&after[before.len()..], content);
        segments.push(Segment::given(&whole[done..before.len()]));
        segments.push(Segment::learnt(&whole[before.len()..end]));
        done = end;
    }
    segments.push(Segment::given(&whole[done..]));
    segments.retain(|segment| !segment.text.is_empty());
    Ok(segments)
}

fn learnt(turn: &str, content: &str) -> usize {
    let kept = turn.trim_end().len();
    let answer = turn.rfind(content.trim_end()).map_or(0, |at| at + content.trim_end().len());
    if kept > answer { kept } else { turn.len() }
}
