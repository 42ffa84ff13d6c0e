//! The suites whose samples want answers.

use diapason_core::sample::Sample;

/// A suite whose samples want answers.
#[derive(Debug, Clone, Copy)]
pub struct Suite<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its samples; no two have one id.
    pub samples: &'a [Sample],
    /// The rendered prompt of each sample, in their order; empty where nothing is rendered.
    pub prompts: &'a [String],
}

/// A sample of a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct At {
    pub(super) suite: usize,
    pub(super) sample: usize,
}
