//! `validator`: one pass over a dataset. The pass is a resource of the guest's, so its instance cannot be replaced.

use crate::bindings::exports::diapason::plugin::validator::{self as wit, Guest};
use crate::call::Failure;
use crate::component::Plugin;
use crate::grants::Grants;
use crate::guest;
use crate::interface::Capability;
use crate::names::{cut, is_kebab_case};
use crate::session::{Session, Terms};
use crate::size;
use crate::translate;
use diapason_core::Result;
use diapason_core::finding::{Finding, Row};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use wasmtime::component::ResourceAny;

/// Rows of one call. Fewer than other calls have inputs: what a pass has seen cannot be repeated, so a call has its full
/// fuel at once.
const ROWS: usize = 64;

/// Findings of a pass: so many whatever it was given, and so many for each row.
const FINDINGS: usize = 1000;
const FINDINGS_PER_ROW: usize = 100;

/// Bytes of each of a finding's texts.
const TEXT: usize = 1 << 14;

/// A plugin used as a validator, in the middle of a pass.
pub struct Validator {
    session: Session<Guest>,
    pass: ResourceAny,
    rows: usize,
    found: usize,
    /// The lines that were pushed, by split.
    seen: BTreeMap<String, HashSet<u32>>,
}

impl Validator {
    /// Starts a pass. Errors where the plugin is no validator, does not take these settings or imports what is not granted.
    pub fn new(plugin: &Plugin, settings: &Map<String, Value>, grants: &Grants) -> Result<Self> {
        let mut session = Session::open(plugin, Capability::Validator, settings, grants, guest::validator)?;
        let pass = start(&mut session, false).map_err(|failure| session.error("start", "", failure))?;
        Ok(Self { session, pass, rows: 0, found: 0, seen: BTreeMap::new() })
    }

    /// Takes the next rows and gives what the plugin says already. After an error the pass is over.
    pub fn push(&mut self, rows: &[Row]) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for batch in rows.chunks(ROWS) {
            for row in batch {
                self.seen.entry(row.split.clone()).or_default().insert(row.line);
            }
            match push(&mut self.session, self.pass, batch, false) {
                Ok(found) => findings.extend(self.accept("push", batch, found)?),
                Err(failure) => return Err(self.blame(batch, failure)),
            }
            self.rows += batch.len();
        }
        Ok(findings)
    }

    /// Gives what the plugin can only say at the end. The call has fuel for all the rows that were pushed.
    pub fn finish(mut self) -> Result<Vec<Finding>> {
        let (pass, terms) = (self.pass, Terms { items: self.rows, muted: false });
        let found = self.session.call(terms, |store, guest, _| {
            let found = guest.validation().call_finish(&mut *store, pass)?;
            pass.resource_drop(store)?;
            Ok(found)
        });
        let found = found.map_err(|failure| self.session.error("finish", "", failure))?;
        self.accept("finish", &[], found)
    }

    fn accept(&mut self, call: &str, rows: &[Row], found: Vec<wit::Finding>) -> Result<Vec<Finding>> {
        self.found += found.len();
        let limit = FINDINGS + FINDINGS_PER_ROW * (self.rows + rows.len());
        if self.found > limit {
            let what = format!("it has {} findings, at most {limit} are kept of so few rows", self.found);
            return Err(self.session.nonsense(call, "", what));
        }
        let id = self.session.plugin().id();
        let findings: Vec<_> = found.into_iter().map(|finding| translate::finding_from_wit(id, finding)).collect();
        for finding in &findings {
            let place = place(&finding.split, finding.line);
            check(finding)
                .and_then(|()| self.is_of_a_row(finding))
                .map_err(|what| self.session.nonsense(call, &place, what))?;
        }
        let given = rows.iter().map(size::row).sum();
        self.session.spend(call, given, findings.iter().map(size::finding).sum())?;
        Ok(findings)
    }

    /// Refuses a finding about a line that the pass was not given. Line 0 is the dataset as a whole.
    fn is_of_a_row(&self, finding: &Finding) -> Result<(), String> {
        let given = || self.seen.get(&finding.split).is_some_and(|lines| lines.contains(&finding.line));
        if finding.line == 0 || given() { Ok(()) } else { Err("it was not given that line".into()) }
    }

    /// The pass is lost. To name the row, a new pass gets the failed call's rows one by one.
    fn blame(&mut self, batch: &[Row], failure: Failure) -> diapason_core::Error {
        self.session.restart();
        if let Ok(pass) = start(&mut self.session, true) {
            for row in batch {
                if let Err(failure) = push(&mut self.session, pass, std::slice::from_ref(row), true) {
                    return self.session.error("push", &place(&row.split, row.line), failure);
                }
            }
        }
        let [first, last] = [&batch[0], &batch[batch.len() - 1]];
        let range = format!("{} to {}", place(&first.split, first.line), place(&last.split, last.line));
        self.session.error("push", &range, failure)
    }
}

fn start(session: &mut Session<Guest>, muted: bool) -> Result<ResourceAny, Failure> {
    let terms = Terms { items: 0, muted };
    session.call(terms, |store, guest, settings| guest.validation().call_start(store, settings))
}

fn push(
    session: &mut Session<Guest>,
    pass: ResourceAny,
    rows: &[Row],
    muted: bool,
) -> Result<Vec<wit::Finding>, Failure> {
    let terms = Terms { items: rows.len(), muted };
    let rows: Vec<_> = rows.iter().map(translate::row_to_wit).collect();
    session.call(terms, |store, guest, _| guest.validation().call_push(store, pass, &rows))
}

/// Says what is wrong with a finding, if anything is.
fn check(finding: &Finding) -> Result<(), String> {
    if !is_kebab_case(&finding.rule) {
        return Err(format!("rule {:?} is not named in kebab-case", cut(&finding.rule)));
    }
    let texts = [&finding.split, &finding.path, &finding.message, &finding.hint];
    if let Some(long) = texts.iter().find(|text| text.len() > TEXT) {
        return Err(format!("a text of a finding has {} bytes, at most {TEXT} are kept", long.len()));
    }
    if !(finding.path.is_empty() || finding.path.starts_with('/')) {
        return Err(format!("path {:?} is no JSON Pointer", cut(&finding.path)));
    }
    Ok(())
}

fn place(split: &str, line: u32) -> String {
    format!("{split} line {line}")
}
