use super::*;
use crate::kernels::check::{assert_close, assert_same, random};
use candle_core::D;

fn reference(q: &Tensor, k: &Tensor, v: &Tensor, spans: &[Span]) -> Result<Tensor> {
    let (b, t, h, d) = q.dims4()?;
    let (_, s, kv, _) = k.dims4()?;
    let expand = |x: &Tensor| -> Result<Tensor> {
        let groups = (b, s, kv, h / kv, d);
        x.unsqueeze(3)?.broadcast_as(groups)?.reshape((b, s, h, d))?.transpose(1, 2)?.contiguous()
    };
    let (q, k, v) = (q.transpose(1, 2)?.contiguous()?, expand(k)?, expand(v)?);
    let scores = (q.matmul(&k.transpose(2, 3)?.contiguous()?)? / (d as f64).sqrt())?;
    let (mask, live) = masks(spans, t, s);
    let mask = Tensor::from_vec(mask, (b, 1, t, s), q.device())?;
    let live = Tensor::from_vec(live, (b, 1, t, 1), q.device())?;
    let scores = scores.broadcast_add(&mask)?;
    let weights = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?.exp()?;
    let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?.broadcast_mul(&live)?;
    weights.matmul(&v)?.transpose(1, 2)?.contiguous()
}

/// What is added to the scores [b, t, s], and 1 or 0 for each query [b, t].
fn masks(spans: &[Span], t: usize, s: usize) -> (Vec<f32>, Vec<f32>) {
    let queries = || spans.iter().flat_map(|span| (0..t).map(move |i| (span, span.offset + i)));
    let score = |span: &Span, query: usize, key: usize| if key <= query && key < span.keys { 0.0 } else { -1e30 };
    let mask = queries().flat_map(|(span, query)| (0..s).map(move |key| score(span, query, key))).collect();
    let live = queries().map(|(span, query)| if query < span.keys { 1.0 } else { 0.0 }).collect();
    (mask, live)
}

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
