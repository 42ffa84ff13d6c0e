//! Exit codes are an interface: scripts and pipelines read them.

use diapason_core::gate::Verdict;
use diapason_core::{Class, Error};
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: it worked, and the gate passed where there is one.
    Passed,
    /// 1: the gate failed.
    Failed,
    /// 2: the command line or `diapason.toml` is wrong.
    Usage,
    /// 3: the gate is inconclusive.
    Inconclusive,
    /// 4: a plugin, the data or the run went wrong.
    Error,
}

impl Exit {
    /// The exit that an error leads to.
    pub fn of(error: &Error) -> Self {
        match error.class() {
            Class::Config => Self::Usage,
            Class::Data | Class::Plugin | Class::Run => Self::Error,
        }
    }

    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::Error => 4,
        }
    }
}

/// A run without rules has no verdict and passes.
impl From<Option<Verdict>> for Exit {
    fn from(verdict: Option<Verdict>) -> Self {
        match verdict {
            None | Some(Verdict::Passed) => Self::Passed,
            Some(Verdict::Failed) => Self::Failed,
            Some(Verdict::Inconclusive) => Self::Inconclusive,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
