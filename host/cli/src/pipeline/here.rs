//! A run folder that is verified, with what of its project is at hand, and the lines that its checks end in.

use super::{Session, integrity, jsonl};
use crate::wire::Plugins;
use diapason_core::Result;
use diapason_core::frozen::{Frozen, Verb};
use diapason_project::manifest::Manifest;
use diapason_sandbox::Grants;
use serde::Serialize;
use std::path::Path;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// It is as it should be.
    Agrees,
    /// It is not: the folder cannot be trusted.
    Differs,
    /// It could not be looked at.
    Unchecked,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub(crate) status: Status,
    /// What was looked at.
    pub(crate) what: String,
    /// What was found, or why it could not be looked at.
    pub(crate) detail: String,
}

impl Line {
    pub(super) fn agrees(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status: Status::Agrees, what: what.into(), detail: detail.into() }
    }

    pub(super) fn differs(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status: Status::Differs, what: what.into(), detail: detail.into() }
    }

    pub(super) fn unchecked(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status: Status::Unchecked, what: what.into(), detail: detail.into() }
    }
}

/// A run folder with what of its project is at hand.
pub(super) struct Here<'a> {
    pub(super) folder: &'a Path,
    pub(super) manifest: Manifest,
    /// Where the configuration of its project was named.
    pub(super) project: Option<Session>,
    pub(super) plugins: Plugins,
    pub(super) grants: Grants,
}

impl Here<'_> {
    /// The text of an artefact.
    pub(super) fn text(&self, artefact: &str) -> Result<String> {
        jsonl::text(&self.folder.join(artefact), "eval")
    }

    /// The rules in force: those of the report, or else those of the evaluation.
    pub(super) fn rules<'a>(&'a self, evaluated: &'a Frozen) -> &'a Frozen {
        self.manifest.frozen.get(&Verb::Report).unwrap_or(evaluated)
    }

    /// What `verb` made is named so in a message.
    pub(super) fn remedy(verb: Verb) -> String {
        format!("`diapason {}` generates it again", integrity::name(verb))
    }
}
