//! Which rows go through the model together, and the tensors they become.

use crate::encode::Example;
use candle_core::{Device, Result, Tensor};
use diapason_nn::layout::Sequences;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The rows of each optimizer step of one epoch; the last step may have fewer.
///
/// A step's rows are a random sample of the data, whatever their length: grouping rows by length beyond one step would
/// make steps of one task each wherever tasks differ in length, and such steps forget one another. Within a step the
/// rows are sorted, so that its passes hold rows of about the same length.
pub fn steps(lengths: &[usize], rows_per_step: usize, seed: u64, epoch: u64) -> Vec<Vec<usize>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(epoch);
    let mut rows: Vec<usize> = (0..lengths.len()).collect();
    rows.shuffle(&mut rng);
    let mut steps: Vec<Vec<usize>> = rows.chunks(rows_per_step).map(<[usize]>::to_vec).collect();
    for step in &mut steps {
        step.sort_by_key(|row| lengths[*row]);
    }
    steps
}

/// The rows of one step, cut into forward passes: `batch_size` rows each, or with `room` as many as that many tokens
/// hold (first-fit decreasing; a longer row goes alone). What is trained does not depend on the cut.
pub fn passes(rows: &[usize], lengths: &[usize], batch_size: usize, room: Option<usize>) -> Vec<Vec<usize>> {
    let Some(room) = room else { return rows.chunks(batch_size).map(<[usize]>::to_vec).collect() };
    let mut longest_first = rows.to_vec();
    longest_first.sort_by_key(|row| std::cmp::Reverse(lengths[*row]));
    let mut passes: Vec<(usize, Vec<usize>)> = Vec::new();
    for row in longest_first {
        match passes.iter_mut().find(|(taken, _)| taken + lengths[row] <= room) {
            Some((taken, rows)) => {
                *taken += lengths[row];
                rows.push(row);
            }
            None => passes.push((lengths[row], vec![row])),
        }
    }
    passes.into_iter().map(|(_, rows)| rows).collect()
}

/// Rows one behind the other. None sees another, and nothing is padded.
#[derive(Debug)]
pub struct Batch {
    /// [1, t], u32.
    pub ids: Tensor,
    /// Where the rows lie.
    pub sequences: Sequences,
    /// What follows each of the t positions, `None` where the loss mask leaves it out.
    pub targets: Vec<Option<u32>>,
    /// Trained tokens.
    pub trained: usize,
}

/// The length of what goes through the model: tokens after the last trained one are left out.
pub fn input_length(example: &Example) -> usize {
    example.learn.iter().rposition(|learn| *learn).unwrap_or_default()
}

/// The number of a row's trained tokens.
pub fn trained_tokens(example: &Example) -> usize {
    example.learn.iter().skip(1).filter(|learn| **learn).count()
}

impl Batch {
    /// The batch of some rows.
    pub fn new(examples: &[&Example], device: &Device) -> Result<Self> {
        let lengths: Vec<usize> = examples.iter().map(|example| input_length(example)).collect();
        let t = lengths.iter().sum();
        let (mut ids, mut targets) = (Vec::with_capacity(t), Vec::with_capacity(t));
        for (example, n) in examples.iter().zip(&lengths) {
            ids.extend_from_slice(&example.ids[..*n]);
            let next = example.ids.iter().zip(&example.learn).skip(1).take(*n);
            targets.extend(next.map(|(id, learn)| learn.then_some(*id)));
        }
        Ok(Self {
            ids: Tensor::from_vec(ids, (1, t), device)?,
            sequences: Sequences::Packed(lengths),
            trained: targets.iter().flatten().count(),
            targets,
        })
    }

    /// Tokens that go through the model.
    pub fn tokens(&self) -> usize {
        self.targets.len()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example(learn: &[bool]) -> Example {
        Example { ids: (10..).take(learn.len()).collect(), learn: learn.to_vec() }
    }

    #[test]
    fn packs_shifts_targets_and_drops_the_tail() {
        let short = example(&[false, true, false]);
        let long = example(&[false, false, true, true, false]);
        let batch = Batch::new(&[&short, &long], &Device::Cpu).unwrap();
        assert_eq!(batch.ids.to_vec2::<u32>().unwrap(), [[10, 10, 11, 12]]);
        assert_eq!(batch.targets, [Some(11), None, Some(12), Some(13)]);
        assert_eq!((batch.tokens(), batch.trained), (4, 3));
        assert_eq!(batch.sequences, Sequences::Packed(vec![1, 3]));
        assert_eq!(trained_tokens(&short) + trained_tokens(&long), batch.trained);
    }

    #[test]
    fn passes_hold_what_there_is_room_for() {
        let lengths = [5, 9, 2, 20, 4];
        assert_eq!(passes(&[4, 0, 1], &lengths, 2, None), [vec![4, 0], vec![1]]);
        assert_eq!(passes(&[0, 1, 2, 3, 4], &lengths, 2, Some(12)), [vec![3], vec![1, 2], vec![0, 4]]);
    }

    proptest! {
        #[test]
        fn an_epoch_visits_every_row_once(lengths in prop::collection::vec(1_usize..50, 1..200), per_step in 1_usize..9) {
            let plan = steps(&lengths, per_step, 7, 1);
            prop_assert_eq!(plan.len(), lengths.len().div_ceil(per_step));
            let mut rows: Vec<usize> = plan.concat();
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..lengths.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn epochs_and_seeds_differ_and_repeat() {
        let lengths = [5; 40];
        assert_eq!(steps(&lengths, 4, 1, 1), steps(&lengths, 4, 1, 1));
        assert_ne!(steps(&lengths, 4, 1, 1), steps(&lengths, 4, 1, 2));
        assert_ne!(steps(&lengths, 4, 1, 1), steps(&lengths, 4, 2, 1));
    }

    #[test]
    fn a_step_is_a_sample_of_all_lengths_with_its_batches_sorted() {
        let lengths: Vec<usize> = (0..640).map(|i| i * 7919 % 640).collect();
        for rows in steps(&lengths, 64, 3, 0) {
            let own: Vec<usize> = rows.iter().map(|row| lengths[*row]).collect();
            assert!(own.is_sorted());
            let mean = own.iter().sum::<usize>() / own.len();
            assert!((220..420).contains(&mean), "a mean length of {mean}, expected about 320");
        }
    }
}
