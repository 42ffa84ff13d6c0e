use super::*;
use crate::kernels::check::{assert_close, assert_same, random};
use crate::kernels::reference::attention as reference;
use crate::layout::Span;

fn check(t: usize, s: usize, h: usize, kv: usize, d: usize, spans: &[Span]) {
    let b = spans.len();
    assert_same(
        &[&[b, t, h, d], &[b, s, kv, d], &[b, s, kv, d]],
        2e-5,
        |x| attention(&x[0], &x[1], &x[2], &Sequences::Padded(spans.to_vec())),
        |x| reference(&x[0], &x[1], &x[2], spans),
    );
}

fn span(offset: usize, keys: usize) -> Span {
    Span { offset, keys }
}

#[test]
fn equals_the_reference() {
    check(1, 1, 1, 1, 2, &[span(0, 1)]);
    check(7, 7, 4, 2, 6, &[span(0, 7), span(0, 7)]);
    check(7, 7, 3, 3, 6, &[span(0, 7)]);
}

#[test]
fn padded_rows_and_padded_queries() {
    check(9, 9, 4, 2, 8, &[span(0, 9), span(0, 4), span(0, 1)]);
}

#[test]
fn queries_after_cached_keys() {
    check(3, 12, 6, 2, 4, &[span(5, 8), span(9, 12), span(0, 2)]);
}

#[test]
fn several_tiles() {
    check(2 * TILE + 5, 2 * TILE + 5, 2, 1, 8, &[span(0, 2 * TILE + 5), span(0, TILE)]);
}

#[test]
fn a_row_does_not_see_its_neighbours() {
    let (q, k, v) = (random(&[2, 5, 2, 4], 1), random(&[2, 5, 1, 4], 2), random(&[2, 5, 1, 4], 3));
    let both = attention(&q, &k, &v, &Sequences::Padded(vec![span(0, 5), span(0, 3)])).expect("both rows");
    let row = |x: &Tensor| x.narrow(0, 1, 1).expect("second row");
    let alone = attention(&row(&q), &row(&k), &row(&v), &Sequences::Padded(vec![span(0, 3)])).expect("one row");
    assert_close(&row(&both), &alone, 0.0);
}

#[test]
fn spans_beyond_the_keys_are_refused() {
    let x = random(&[1, 2, 1, 4], 1);
    assert!(
        attention(&x, &x, &x, &Sequences::Padded(vec![span(0, 3)]))
            .is_err_and(|error| error.to_string().contains("3 keys"))
    );
}

#[test]
fn packed_sequences_do_not_see_each_other() {
    let lengths = [TILE + 9, 1, 30];
    let (h, kv, d, t) = (4, 2, 8, TILE + 40);
    let alone = |x: &[Tensor]| {
        let mut first = 0;
        let parts = lengths.iter().map(|n| {
            let part = |x: &Tensor| x.narrow(1, first, *n)?.contiguous();
            let y = reference(&part(&x[0])?, &part(&x[1])?, &part(&x[2])?, &[span(0, *n)]);
            first += n;
            y
        });
        Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 1)
    };
    let packed = Sequences::Packed(lengths.to_vec());
    let shapes: [&[usize]; 3] = [&[1, t, h, d], &[1, t, kv, d], &[1, t, kv, d]];
    assert_same(&shapes, 2e-5, |x| attention(&x[0], &x[1], &x[2], &packed), alone);
    let x = random(&[1, 4, 2, 4], 1);
    assert!(attention(&x, &x, &x, &Sequences::Packed(vec![2, 1])).is_err());
}
