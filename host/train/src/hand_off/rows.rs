//! The rows of a run as another trainer reads them: one after the other in the order of our steps, so that it has only to
//! read them in sequence.
//!
//! Every step has the same number of rows there. Where ours has fewer (the last step of an epoch, or a step whose rows pack
//! into fewer rows), it is filled up with rows of which nothing is learned: a step's loss is a mean over trained tokens, so
//! they change nothing.

use crate::batch;
use crate::encode::Example;
use crate::run::plan::Plan;
use diapason_core::config::Train;

/// What a label is called that is not learned.
const IGNORED: i64 = -100;

/// A row of token ids with their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The tokens.
    pub ids: Vec<u32>,
    /// For each token its id, or -100 where it is not learned. The reader shifts them.
    pub labels: Vec<i64>,
    /// Lengths of the rows that it was packed from.
    pub lengths: Vec<u32>,
}

impl TokenRow {
    /// A row as it is trained: tokens after which nothing more is learned are left out. Nothing predicts the first one.
    pub fn of(example: &Example) -> Self {
        let length = batch::input_length(example) + 1;
        let label = |(place, (id, learn)): (usize, (&u32, &bool))| {
            if *learn && place > 0 { i64::from(*id) } else { IGNORED }
        };
        let labels = example.ids.iter().zip(&example.learn).take(length).enumerate().map(label).collect();
        Self { ids: example.ids[..length].to_vec(), labels, lengths: vec![length as u32] }
    }

    fn packed(rows: impl Iterator<Item = Self>) -> Self {
        let mut pack = Self { ids: Vec::new(), labels: Vec::new(), lengths: Vec::new() };
        for row in rows {
            pack.ids.extend(row.ids);
            pack.labels.extend(row.labels);
            pack.lengths.extend(row.lengths);
        }
        pack
    }

    /// Whether a token of it is learned.
    pub fn teaches(&self) -> bool {
        self.labels.iter().skip(1).any(|label| *label != IGNORED)
    }
}

/// What a reader does with a row of which nothing is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filler {
    /// It is kept as it is.
    Unlabelled,
    /// It is kept only if there is a label: the first token's, which nothing predicts.
    FirstLabelled,
}

/// How a run's rows are laid out for several processes.
pub struct Layout<'a> {
    examples: &'a [Example],
    plan: Plan,
    room: Option<usize>,
    filler: Filler,
    /// Processes that train, one for each GPU.
    pub processes: usize,
    /// Rows in a forward pass of one process.
    pub batch_size: usize,
    /// Forward passes of one process in a step.
    pub gradient_accumulation: usize,
    /// Optimizer steps in all.
    pub steps: u64,
    /// Optimizer steps of one pass over the data.
    pub steps_per_epoch: u64,
}

impl<'a> Layout<'a> {
    /// Lays out `examples`, of which there is at least one. A process never has more rows in a pass than `batch_size` says.
    pub fn new(examples: &'a [Example], config: &Train, seed: u64, processes: usize, filler: Filler) -> Self {
        let rows_per_step = config.batch_size * config.gradient_accumulation;
        let mut layout = Self {
            examples,
            plan: Plan::new(examples, config, seed),
            room: config.packing.then_some(config.max_sequence_length),
            filler,
            processes,
            batch_size: 1,
            gradient_accumulation: 1,
            steps: 0,
            steps_per_epoch: examples.len().div_ceil(rows_per_step) as u64,
        };
        layout.steps = layout.plan.total;
        let most = if config.packing { layout.largest_step() } else { rows_per_step };
        let share = most.div_ceil(processes);
        layout.batch_size = if config.packing { 1 } else { config.batch_size.min(share) };
        layout.gradient_accumulation = share.div_ceil(layout.batch_size);
        layout
    }

    /// Rows of every step, filled up.
    pub fn rows_per_step(&self) -> usize {
        self.processes * self.batch_size * self.gradient_accumulation
    }

    /// Every row of every step.
    pub fn rows(&self) -> impl Iterator<Item = TokenRow> + '_ {
        let filler = || std::iter::repeat_with(|| self.filler()).take(self.rows_per_step());
        self.plan.rows().flat_map(move |step| {
            let rows = self.groups(&step.rows);
            let count = rows.len();
            let rows = rows
                .into_iter()
                .map(|group| TokenRow::packed(group.into_iter().map(|row| TokenRow::of(&self.examples[row]))));
            rows.chain(filler().skip(count)).collect::<Vec<_>>()
        })
    }

    /// Most rows of a step, once packed.
    fn largest_step(&self) -> usize {
        self.plan.rows().map(|step| self.groups(&step.rows).len()).max().unwrap_or(1)
    }

    /// A step's rows, those that are packed into one together.
    fn groups(&self, rows: &[usize]) -> Vec<Vec<usize>> {
        if self.room.is_none() {
            return rows.iter().map(|row| vec![*row]).collect();
        }
        let lengths: Vec<usize> = rows.iter().map(|row| batch::input_length(&self.examples[*row]) + 1).collect();
        let places: Vec<usize> = (0..rows.len()).collect();
        let packs = batch::passes(&places, &lengths, 1, self.room);
        packs.into_iter().map(|pack| pack.into_iter().map(|place| rows[place]).collect()).collect()
    }

    fn filler(&self) -> TokenRow {
        let id = self.examples.first().and_then(|example| example.ids.first()).copied().unwrap_or_default();
        let first = match self.filler {
            Filler::Unlabelled => IGNORED,
            Filler::FirstLabelled => i64::from(id),
        };
        TokenRow { ids: vec![id; 2], labels: vec![first, IGNORED], lengths: vec![2] }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example(length: usize, number: u32) -> Example {
        Example {
            ids: (0..length as u32).map(|i| number * 100 + i).collect(),
            learn: (0..length).map(|i| i > 0).collect(),
        }
    }

    fn config(batch_size: usize, gradient_accumulation: usize, packing: bool) -> Train {
        Train { batch_size, gradient_accumulation, packing, epochs: 2, max_sequence_length: 24, ..Train::default() }
    }

    #[test]
    fn a_row_ends_with_its_last_trained_token_and_its_first_has_no_label() {
        let example = Example { ids: vec![5, 6, 7, 8, 9], learn: vec![true, false, true, true, false] };
        let row = TokenRow::of(&example);
        assert_eq!((row.ids, row.labels, row.lengths), (vec![5, 6, 7, 8], vec![-100, -100, 7, 8], vec![4]));
    }

    #[test]
    fn fewer_rows_than_processes_take_hold_are_shared_out() {
        let examples: Vec<Example> = (0..10).map(|i| example(3, i)).collect();
        let layout = |processes, config: &Train| {
            let layout = Layout::new(&examples, config, 1, processes, Filler::Unlabelled);
            (layout.batch_size, layout.gradient_accumulation, layout.rows_per_step())
        };
        assert_eq!(layout(1, &config(4, 2, false)), (4, 2, 8));
        assert_eq!(layout(2, &config(4, 2, false)), (4, 1, 8));
        assert_eq!(layout(4, &config(4, 2, false)), (2, 1, 8));
        assert_eq!(layout(3, &config(4, 2, false)), (3, 1, 9), "one row in nine is a filler");
    }

    proptest! {
        /// Each of our steps is the step there: the same rows, in as many passes for every process.
        #[test]
        fn steps_have_our_rows_and_nothing_else_to_learn(
            lengths in prop::collection::vec(2_usize..24, 1..40),
            (batch_size, accumulation, processes) in (1_usize..4, 1_usize..4, 1_usize..5),
            packing in any::<bool>(),
        ) {
            let examples: Vec<Example> = (0..).zip(&lengths).map(|(i, length)| example(*length, i)).collect();
            let config = config(batch_size, accumulation, packing);
            let layout = Layout::new(&examples, &config, 7, processes, Filler::Unlabelled);
            let rows: Vec<TokenRow> = layout.rows().collect();
            prop_assert_eq!(rows.len() as u64, layout.steps * layout.rows_per_step() as u64);
            for (step, rows) in Plan::new(&examples, &config, 7).rows().zip(rows.chunks(layout.rows_per_step())) {
                let mut ours: Vec<Vec<u32>> = step.rows.iter().map(|row| examples[*row].ids.clone()).collect();
                let mut theirs = Vec::new();
                for row in rows.iter().filter(|row| row.teaches()) {
                    prop_assert!(row.ids.len() <= 24 && row.labels.len() == row.ids.len());
                    let mut rest = row.ids.as_slice();
                    for length in &row.lengths {
                        let (one, others) = rest.split_at(*length as usize);
                        theirs.push(one.to_vec());
                        rest = others;
                    }
                    prop_assert!(rest.is_empty());
                }
                ours.sort();
                theirs.sort();
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
