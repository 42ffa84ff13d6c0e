//! Verification of a run folder, wherever it lies: what is here is compared with what was frozen, and everything that
//! follows from something else is computed again.

use super::here::{Here, Line};
use super::recompute::{self, Recomputed};
use super::{Session, look};
use crate::plan::Plan;
use crate::ui::Ui;
use crate::wire::{self, Plugins};
use diapason_core::frozen::{Difference, Frozen, Live, Role, Use, Verb, check_files, check_settings, portable};
use diapason_core::gate::GateResult;
use diapason_core::{Error, Result};
use diapason_project::manifest::Manifest;
use diapason_sandbox::Grants;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) use super::here::Status;

/// What came of verifying a run folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Verified {
    /// Every check.
    pub(crate) checks: Vec<Line>,
    /// Whether scores, comparison and verdict were all computed again.
    pub(crate) recomputed: bool,
    /// The verdict, where the artefacts it rests on are here and there are rules.
    pub(crate) gate: Option<GateResult>,
}

impl Verified {
    /// The number of checks that ended so.
    pub(crate) fn count(&self, status: Status) -> usize {
        self.checks.iter().filter(|line| line.status == status).count()
    }
}

/// Verifies the run in `folder`; `project` is the configuration of the project it belongs to, where that is at hand.
///
/// # Errors
/// The folder is no run folder, its manifest was edited, or nothing was evaluated in it.
pub(crate) fn verify(folder: &Path, project: Option<Plan>, ui: &Ui) -> Result<Verified> {
    let manifest = manifest(folder)?;
    let evaluated = evaluated(&manifest, folder)?;
    let project = project.map(|plan| session(plan, folder, ui)).transpose()?;
    let plugins = Plugins::new(&evaluated.config.limits, ui)?;
    let mut here = Here { folder, manifest, project, plugins, grants: Grants::default() };
    let mut checks = vec![Line::agrees(
        "manifest.json",
        format!("sealed; evaluated {} by Diapason {}", evaluated.date, evaluated.diapason),
    )];
    checks.extend(artefacts(&here));
    checks.extend(surroundings(&mut here, &evaluated)?);
    let Recomputed { lines, whole, gate } = recompute::all(&mut here, &evaluated);
    checks.extend(lines);
    let answers = "only generating them again can tell: run `diapason eval` in the project";
    checks.push(Line::unchecked("that the models gave these answers", answers));
    Ok(Verified { checks, recomputed: whole, gate })
}

fn manifest(folder: &Path) -> Result<Manifest> {
    if folder.join("manifest.json").is_file() {
        return Manifest::read(folder);
    }
    Err(Error::data(format!("there is no run in {}", folder.display()))
        .because("it has no manifest.json")
        .hint("name the folder that `run.folder` of a configuration names, or a copy of it"))
}

fn evaluated(manifest: &Manifest, folder: &Path) -> Result<Frozen> {
    manifest.frozen.get(&Verb::Eval).cloned().ok_or_else(|| {
        Error::data(format!("nothing was evaluated in {}", folder.display()))
            .hint("there is no verdict to verify before `diapason eval`")
    })
}

/// The project, with the folder that is verified as its run folder.
fn session(mut plan: Plan, folder: &Path, ui: &Ui) -> Result<Session> {
    plan.config.run.folder = folder.into();
    Session::beside(&plan, ui)
}

/// The files of the run folder against what each verb froze of them.
fn artefacts(here: &Here<'_>) -> Vec<Line> {
    let mut known: BTreeMap<&str, (Verb, &str)> = BTreeMap::new();
    let mut lines = Vec::new();
    for (verb, frozen) in &here.manifest.frozen {
        for (role, file) in &frozen.files {
            let Role::Artefact(path) = role else { continue };
            // A later verb's record of what an earlier one made says what it rests on.
            match known.get(path.as_str()) {
                Some((maker, digest)) if *digest != file.sha256 && *verb != Verb::Eval => {
                    let detail = format!("the {verb} used another version than the {maker} wrote");
                    lines.push(Line::differs(path, detail));
                }
                Some((_, digest)) if *digest == file.sha256 => {}
                _ => {
                    known.insert(path, (*verb, &file.sha256));
                }
            }
        }
    }
    lines.extend(known.into_iter().map(|(path, (verb, digest))| artefact(here, path, verb, digest)));
    lines
}

fn artefact(here: &Here<'_>, path: &str, verb: Verb, digest: &str) -> Line {
    match look::file(&here.folder.join(path)) {
        Ok(Live::Digest(found)) if found == digest => Line::agrees(path, format!("as the {verb} wrote it")),
        Ok(Live::Digest(_)) => Line::differs(path, format!("not as the {verb} wrote it")),
        Ok(_) => Line::unchecked(path, "it is not here"),
        Err(error) => Line::unchecked(path, error.to_string()),
    }
}

/// What lies outside of the run folder: models, data, template and components.
fn surroundings(here: &mut Here<'_>, evaluated: &Frozen) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let mut live = built_in(evaluated);
    live.extend(tuned(here.folder, evaluated)?);
    if let Some(session) = &mut here.project {
        let config = portable(&session.plan.config);
        let mut differ = check_settings(Verb::Eval, evaluated, &config);
        for verb in [Verb::Compare, Verb::Report] {
            let later = here.manifest.frozen.get(&verb).map(|frozen| check_settings(verb, frozen, &config));
            let later: Vec<Difference> = later.into_iter().flatten().filter(|it| !differ.contains(it)).collect();
            differ.extend(later);
        }
        if differ.is_empty() {
            lines.push(Line::agrees("the configuration", "the values that were evaluated and reported"));
        }
        lines.extend(differ.iter().map(differing));
        live.extend(look::live(session, evaluated)?);
    }
    let mut outside = evaluated.clone();
    outside.files.retain(|role, _| !matches!(role, Role::Artefact(_)));
    let checked = check_files(&outside, &live);
    lines.extend(groups(checked.agree.iter()).map(|(kind, n)| Line::agrees(kind, counted(n, "as evaluated"))));
    lines.extend(checked.differ.iter().map(differing));
    let unknown = checked.unknown.iter().map(|(role, _)| role);
    let named = here.project.is_some();
    lines.extend(groups(unknown).map(|(kind, n)| Line::unchecked(kind, counted(n, absent(named)))));
    if let Some(session) = &here.project {
        let base = |role: &Role| matches!(role, Role::Base(_));
        let same = checked.agree.iter().any(base) && !checked.differ.iter().any(|it| it.role().is_some_and(base));
        if same {
            here.grants = session.grants.clone();
        }
    }
    Ok(lines)
}

fn differing(difference: &Difference) -> Line {
    match difference {
        Difference::Setting { key, .. } => {
            Line::differs(format!("`{key}` of the configuration"), difference.to_string())
        }
        Difference::Changed(role) | Difference::Gone(role) | Difference::Added(role) => {
            Line::differs(role.to_string(), format!("{difference} since the evaluation"))
        }
    }
}

fn absent(named: bool) -> &'static str {
    if named { "not here" } else { "not in the run folder; `--config FILE` names its project" }
}

fn counted(files: usize, text: &str) -> String {
    if files == 1 { text.into() } else { format!("{files} files: {text}") }
}

/// Roles by kind, with how many there are of each: the base model is one line, not five.
fn groups<'a>(roles: impl Iterator<Item = &'a Role>) -> impl Iterator<Item = (String, usize)> {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for role in roles {
        let kind = match role {
            Role::Base(_) => "the base model".into(),
            Role::Tuned(_) => "the tuned model".into(),
            Role::Arm(arm, _) => format!("arm `{arm}`"),
            other => other.to_string(),
        };
        *groups.entry(kind).or_default() += 1;
    }
    groups.into_iter()
}

/// Built-in plugins and templates that are still the ones of the evaluation. One that is not says that this is another
/// Diapason, and nothing about the run.
fn built_in(evaluated: &Frozen) -> BTreeMap<Role, Live> {
    let names = entries(evaluated);
    let same = |role: &Role, name: &str| {
        let found = wire::built_in_digest(name);
        found.filter(|found| evaluated.files.get(role).is_some_and(|file| file.sha256 == *found))
    };
    names.into_iter().filter_map(|(role, name)| Some((role.clone(), Live::Digest(same(&role, &name)?)))).collect()
}

/// Every plugin's role and configured name, and the template's.
fn entries(evaluated: &Frozen) -> Vec<(Role, String)> {
    let config = &evaluated.config;
    let mut found = vec![(Role::Plugin(Use::Template), config.template.plugin.clone())];
    found.extend(config.template.template.iter().map(|name| (Role::Template, name.clone())));
    let named = diapason_core::frozen::labels(&config.validators);
    found.extend(
        named
            .into_iter()
            .zip(&config.validators)
            .map(|(label, entry)| (Role::Plugin(Use::Validator(label)), entry.plugin.clone())),
    );
    for suite in &config.suites {
        let named = diapason_core::frozen::labels(&suite.evaluators);
        found.extend(
            named
                .into_iter()
                .zip(&suite.evaluators)
                .map(|(label, entry)| (Role::Plugin(Use::Suite(suite.name.clone(), label)), entry.plugin.clone())),
        );
    }
    found
}

/// The tuned model, where this run trained it: it lies in the run folder.
fn tuned(folder: &Path, evaluated: &Frozen) -> Result<BTreeMap<Role, Live>> {
    let inner = if evaluated.config.train.method.is_adapter() { "adapter" } else { "model" };
    let path = folder.join(inner);
    if !evaluated.config.trains() || !path.is_dir() {
        return Ok(BTreeMap::new());
    }
    let found = wire::digests_of(&path)?.into_iter();
    let mut live: BTreeMap<Role, Live> =
        found.map(|(name, digest)| (Role::Tuned(name), Live::Digest(digest))).collect();
    for role in evaluated.files.keys().filter(|role| matches!(role, Role::Tuned(_))) {
        live.entry(role.clone()).or_insert(Live::Missing);
    }
    Ok(live)
}
