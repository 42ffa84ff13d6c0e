//! How the sequences of a batch lie in its tensors: positions, and which keys a query sees.

use candle_core::{Result, bail};

/// Where the queries of one row of the batch stand among its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Position of query 0 among the keys.
    pub offset: usize,
    /// Number of valid keys; those after are padding. A query that stands after them is padding too and yields zeros.
    pub keys: usize,
}

impl Span {
    /// Returns how many keys query `i` sees; 0 for padding.
    pub(crate) fn visible(self, i: usize) -> usize {
        let position = self.offset + i;
        if position < self.keys { position + 1 } else { 0 }
    }
}

/// How the sequences of a batch lie in its tensors [b, t, ..].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sequences {
    /// One in each of the b rows, padded on the right.
    Padded(Vec<Span>),
    /// One behind the other in a single row, with these numbers of tokens; none sees another.
    Packed(Vec<usize>),
}

impl Sequences {
    /// Returns the sequences of a batch [b, t] with keys [b, s].
    ///
    /// # Errors
    /// They do not fit.
    pub(crate) fn rows(&self, (b, t): (usize, usize), s: usize) -> Result<Vec<Row>> {
        match self {
            Self::Padded(spans) => {
                if let Some(span) = spans.iter().find(|span| span.keys > s) {
                    bail!("a span of {} keys where there are {s}", span.keys);
                }
                if spans.len() != b {
                    bail!("{} spans for a batch of {b}", spans.len());
                }
                let row = |(i, span): (usize, &Span)| Row { first: i * t, t, first_key: i * s, s, span: *span };
                Ok(spans.iter().enumerate().map(row).collect())
            }
            Self::Packed(lengths) => {
                let total: usize = lengths.iter().sum();
                if b != 1 || t != s || total != t {
                    bail!("{total} packed tokens in a batch of {b} with {t} queries and {s} keys");
                }
                let mut first = 0;
                let row = |t: &usize| {
                    let row = Row { first, t: *t, first_key: first, s: *t, span: Span { offset: 0, keys: *t } };
                    first += t;
                    row
                };
                Ok(lengths.iter().map(row).collect())
            }
        }
    }
}

/// A sequence: `t` queries and `s` keys, from these tokens of the batch on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) first: usize,
    pub(crate) t: usize,
    pub(crate) first_key: usize,
    pub(crate) s: usize,
    pub(crate) span: Span,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_query_sees_itself_and_what_is_before_it() {
        let span = Span { offset: 2, keys: 4 };
        assert_eq!([0, 1, 2].map(|i| span.visible(i)), [3, 4, 0]);
    }

    #[test]
    fn rows_fit_their_batch_or_are_refused() {
        let packed = Sequences::Packed(vec![1, 3]).rows((1, 4), 4).unwrap();
        let found: Vec<_> = packed.iter().map(|row| (row.first, row.t, row.first_key, row.s)).collect();
        assert_eq!(found, [(0, 1, 0, 1), (1, 3, 1, 3)]);
        assert!(Sequences::Packed(vec![1, 3]).rows((2, 2), 2).is_err());
        assert!(Sequences::Padded(vec![Span { offset: 0, keys: 5 }]).rows((1, 4), 4).is_err());
    }
}
