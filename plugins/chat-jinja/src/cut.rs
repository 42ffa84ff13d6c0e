//! Answers of which the template leaves out a part once later turns follow: reasoning, in most cases.

use crate::Scene;
use crate::stage::{Place, Stage};
use crate::turns;

/// What is known of a conversation's cuts.
pub(crate) struct Cuts<'a> {
    scene: &'a Scene<'a>,
    stage: &'a Stage<'a>,
    /// For each sort of text whether the template writes it where no turns follow. It is tried once.
    writes: [Option<bool>; 3],
}

/// The text that an answer lacks in the whole, and of which sort it is.
struct Lost<'a> {
    sort: usize,
    text: &'a str,
}

impl<'a> Cuts<'a> {
    pub(crate) fn new(scene: &'a Scene<'a>, stage: &'a Stage<'a>) -> Self {
        Self { scene, stage, writes: [None; 3] }
    }

    /// Whether the template leaves out a part of an answer that it writes where the answer is the last. What it never
    /// writes is no cut: then the model does without it.
    pub(crate) fn has(&mut self, index: usize, place: &Place) -> bool {
        self.lost(index, place).into_iter().any(|lost| {
            *self.writes[lost.sort].get_or_insert_with(|| {
                let alone = self.scene.render(&self.stage.values()[..=index], false, jinja::Trace::None);
                alone.is_ok_and(|alone| alone.text.contains(lost.text))
            })
        })
    }

    fn lost(&self, index: usize, place: &Place) -> Vec<Lost<'a>> {
        let (turn, written) = (self.stage.turn(index), &self.stage.text()[place.written.clone()]);
        let missing = |text: &&str| !text.trim().is_empty() && !written.contains(text.trim());
        let reasoning = turns::text(turn, "reasoning_content").filter(missing).map(str::trim);
        let content = turns::text(turn, "content").filter(missing).map(str::trim);
        let part = content.and_then(|content| {
            let inner = place.inner(self.stage.text())?;
            Some(without_tags(content.strip_suffix(inner)?.trim_end()))
        });
        let all = content.filter(|_| place.before.is_none());
        let sorts = [reasoning, part, all].into_iter().enumerate();
        sorts.filter_map(|(sort, text)| text.filter(|text| !text.is_empty()).map(|text| Lost { sort, text })).collect()
    }
}

/// A text without the tags around it, which a template may write otherwise.
fn without_tags(text: &str) -> &str {
    let text = text.rsplit_once("</").map_or(text, |(before, _)| before);
    let behind = text.strip_prefix('<').and_then(|tag| tag.split_once('>')).map(|(_, behind)| behind);
    behind.unwrap_or(text).trim()
}
