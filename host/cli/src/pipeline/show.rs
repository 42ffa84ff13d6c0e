//! What training sees of a row: its tokens, and which of them are learned.

use super::session::Purpose;
use super::{Session, tokens};
use crate::number::counted;
use crate::paint::Paint;
use diapason_core::Result;
use diapason_core::escape::line;
use diapason_models::Model;
use diapason_train::encode::Example;
use serde::Serialize;

/// A row as training sees it.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// The row's id in the data.
    row: String,
    /// Tokens in all.
    tokens: usize,
    /// Tokens that are learned.
    supervised: usize,
    /// Each token.
    pieces: Vec<Piece>,
}

#[derive(Debug, Serialize)]
struct Piece {
    id: u32,
    text: String,
    learned: bool,
}

/// The first `count` rows.
pub(crate) fn rows(session: &mut Session, count: usize) -> Result<Vec<Shown>> {
    let samples = tokens::samples(session)?;
    let encoded = tokens::encoded(session, &samples)?;
    let model = &session.base_for(Purpose::Training)?.model;
    let rows = samples.iter().zip(&encoded).take(count);
    Ok(rows.map(|(sample, example)| shown(&sample.id, example, model)).collect())
}

fn shown(row: &str, example: &Example, model: &Model) -> Shown {
    let tokens = example.ids.iter().zip(&example.learn);
    Shown {
        row: row.to_owned(),
        tokens: example.ids.len(),
        supervised: diapason_train::batch::trained_tokens(example),
        pieces: tokens.map(|(id, learned)| Piece { id: *id, text: model.shown(*id), learned: *learned }).collect(),
    }
}

/// The rows for a reader: what is learned is green, or stands in ⟦ ⟧ where there is no colour.
pub(crate) fn text(rows: &[Shown], paint: Paint) -> String {
    let row = |shown: &Shown| {
        let tokens = counted(shown.tokens, "token");
        let head = format!("row {}: {tokens}, {} trained", line(&shown.row), shown.supervised);
        let runs = shown.pieces.chunk_by(|a, b| a.learned == b.learned);
        let body: String = runs.map(|run| painted(run, paint)).collect();
        format!("{}\n{}\n", paint.bold(&head), body.trim_end_matches('\n'))
    };
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

fn painted(run: &[Piece], paint: Paint) -> String {
    let separator = paint.dim("·");
    let text = run.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>().join(&separator);
    match run.first().is_some_and(|piece| piece.learned) {
        false => text,
        true if paint.is_colour() => {
            run.iter().map(|piece| paint.green(&piece.text)).collect::<Vec<_>>().join(&separator)
        }
        true => format!("⟦{text}⟧"),
    }
}
