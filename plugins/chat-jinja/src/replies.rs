//! Templates that write what a tool answered into the turn that calls it, as Gemma 4's do: the model stops before it, and
//! what stands behind is context.

use crate::Scene;
use crate::stage::{Place, Stage};
use crate::turns;
use jinja::Trace;

/// Where the model stops in such turns.
pub(crate) struct Replies<'a> {
    scene: &'a Scene<'a>,
    stage: &'a Stage<'a>,
    /// The last tag of a call and the first of a reply. They are looked for once.
    border: Option<Option<[String; 2]>>,
}

impl<'a> Replies<'a> {
    pub(crate) fn new(scene: &'a Scene<'a>, stage: &'a Stage<'a>) -> Self {
        Self { scene, stage, border: None }
    }

    /// Where the learnt part of a turn ends that would end at `end`. None where the turn has a reply and the place
    /// before it is not found.
    pub(crate) fn end(&mut self, index: usize, place: &Place, start: usize, end: usize) -> Option<usize> {
        let learnt = &self.stage.text()[start..end];
        if !self.reply(index).is_some_and(|reply| learnt.contains(reply)) {
            return Some(end);
        }
        let border = self.border.take().unwrap_or_else(|| self.find(index, place));
        let [last, first] = self.border.insert(border).as_ref()?;
        learnt.find(&format!("{last}{first}")).map(|at| start + at + last.len())
    }

    /// The text of a turn behind this one that writes nothing itself.
    fn reply(&self, index: usize) -> Option<&'a str> {
        let speaks = |next: &&turns::Turn| !matches!(turns::text(next, "role"), Some("user" | "system" | "assistant"));
        let next = self.stage.next(index).filter(speaks)?;
        let text = turns::text(next, "content").map(str::trim).filter(|text| !text.is_empty())?;
        self.stage.written(index + 1).is_empty().then_some(text)
    }

    /// What the turn writes alone and with its reply parts where the model stops.
    fn find(&self, index: usize, place: &Place) -> Option<[String; 2]> {
        let alone = self.scene.render(&self.stage.values()[..=index], false, Trace::Turns).ok()?;
        let own = alone.turns.iter().rev().find(|turn| turn.index == index)?;
        let written = &self.stage.text()[place.written.clone()];
        let shared = turns::common(&alone.text[own.written.clone()], written);
        let tag = |text: &str| text.find('>').map(|at| text[..=at].to_owned());
        // A tag that both begin with the same letters is not shared.
        let shared = turns::whole_tags(&written[..shared]);
        Some([written[written[..shared].rfind('<')?..shared].to_owned(), tag(&written[shared..])?])
    }
}
