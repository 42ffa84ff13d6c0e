//! A model on this machine as one that answers.

use diapason_core::Result;
use diapason_core::language_model::{Decoding, LanguageModel, Likelihood, Progress, Prompt};
use diapason_models::Model;

/// A model that answers, `batch_size` sequences at a time. Answers depend on it by rounding only.
#[derive(Debug, Clone, Copy)]
pub struct Local<'a> {
    model: &'a Model,
    batch_size: usize,
}

impl<'a> Local<'a> {
    /// `model` with 16 sequences side by side.
    pub fn new(model: &'a Model) -> Self {
        Self { model, batch_size: 16 }
    }

    /// The same with another number of sequences side by side; at least 1.
    #[must_use]
    pub fn batched(self, batch_size: usize) -> Self {
        Self { batch_size: batch_size.max(1), ..self }
    }
}

impl LanguageModel for Local<'_> {
    fn complete(
        &mut self,
        prompts: &[Prompt<'_>],
        decoding: &Decoding,
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<()> {
        crate::generate::complete(self.model, self.batch_size, prompts, decoding, known, watch)
    }

    fn likelihoods(
        &mut self,
        pairs: &[(String, String)],
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(usize, Likelihood) -> Result<()>,
    ) -> Result<()> {
        crate::loglikelihood::likelihoods(self.model, self.batch_size, pairs, known, watch)
    }
}
