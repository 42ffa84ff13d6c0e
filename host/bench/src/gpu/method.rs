//! How a shape is trained.

use diapason_core::config::Method as Trained;

/// How a shape is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Lora,
    Qlora,
    Full,
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lora => "lora",
            Self::Qlora => "qlora",
            Self::Full => "full",
        }
    }

    pub(super) fn trained(self) -> Trained {
        match self {
            Self::Lora => Trained::Lora,
            Self::Qlora => Trained::Qlora,
            Self::Full => Trained::Full,
        }
    }
}
