//! Computes again what follows from something else: scores from outputs, the comparison from scores, the verdict from the
//! comparison, the report from all of it.

use super::compare;
use super::differ::difference;
use super::here::{Here, Line};
use super::integrity::Asked;
use super::report::{self, parsed};
use super::request::Requests;
use super::score::Answered;
use super::suite::{self, LoadedSuite};
use super::validate;
use super::{Session, jsonl, looks, score, train};
use crate::artefact::{self, COMPARISON, FINDINGS, SAMPLES, SCORES, TRAINING, TRAINING_LOG};
use crate::wire;
use diapason_core::compare::{Comparison, Described, Listed, MeasureComparison, Suite as Compared};
use diapason_core::config::{Plugin as Entry, Suite};
use diapason_core::event::Event;
use diapason_core::finding::Finding;
use diapason_core::frozen::{Frozen, Role, Use, Verb, labels};
use diapason_core::gate::{GateResult, History};
use diapason_core::report::Training;
use diapason_core::sample::Sample;
use diapason_core::score::Score;
use diapason_core::{Error, Result};
use diapason_project::dataset;
use diapason_sandbox::{Permission, Plugin};
use serde_json::Value;

/// What came of it.
pub(super) struct Recomputed {
    pub(super) lines: Vec<Line>,
    /// Whether every score, the comparison and the verdict could be computed.
    pub(super) whole: bool,
    pub(super) gate: Option<GateResult>,
}

/// The artefacts that everything else follows from.
struct Given {
    suites: Vec<(String, Vec<Sample>)>,
    answered: Answered,
    scores: Vec<Score>,
}

/// A suite with the plugins that are here, and why the others are not.
struct Partly {
    suite: LoadedSuite,
    absent: Vec<(String, String)>,
}

/// Computes everything again. What cannot be read or computed is a line, never an error: the other lines still say
/// something.
pub(super) fn all(here: &mut Here<'_>, evaluated: &Frozen) -> Recomputed {
    let mut done = Recomputed { lines: Vec::new(), whole: true, gate: None };
    let given = match given(here, evaluated) {
        Ok(given) => given,
        Err(error) => return done.stopped("scores, comparison and verdict", &error),
    };
    let suites = match suites(here, evaluated, &given) {
        Ok(suites) => suites,
        Err(error) => return done.stopped("scores, comparison and verdict", &error),
    };
    done.lines.extend(training(here, evaluated));
    if let Some(session) = &mut here.project {
        let data = session.plan.config.suites.iter().filter(|suite| suite.data.exists());
        done.lines.extend(data.map(|suite| asked(suite, &given)));
        done.lines.extend(findings(session, evaluated));
    }
    for partly in &suites {
        done.scores(here, evaluated, partly, &given);
    }
    let stored = here.text(COMPARISON).and_then(|text| compare::parse(&text, &here.folder.join(COMPARISON)));
    let stored = match stored {
        Ok(stored) => stored,
        Err(error) => return done.stopped("comparison and verdict", &error),
    };
    done.comparison(here, evaluated, &suites, &given, &stored);
    done.verdict(here, evaluated, stored);
    done
}

fn given(here: &Here<'_>, evaluated: &Frozen) -> Result<Given> {
    let read = |name: &str| here.text(name);
    let arms = evaluated.config.arms();
    let outputs = arms.all.iter().map(|arm| parsed(&artefact::outputs(arm), &read)).collect::<Result<Vec<_>>>()?;
    Ok(Given {
        suites: report::suites(parsed::<Asked>(SAMPLES, &read)?),
        answered: Answered { arms, outputs },
        scores: parsed(SCORES, &read)?,
    })
}

/// Whether the summary of training follows from its log.
fn training(here: &Here<'_>, evaluated: &Frozen) -> Option<Line> {
    evaluated.files.get(&Role::Artefact(TRAINING.into()))?;
    let read = |name: &str| here.text(name);
    let (log, stored) = (parsed::<Event>(TRAINING_LOG, &read).ok()?, parsed::<Training>(TRAINING, &read).ok()?);
    let stored = stored.first()?;
    // The numbers of parameters are the model's.
    let again = Training { trainable: stored.trainable, total: stored.total, ..train::told(log) };
    Some(match difference(stored, &again) {
        None => Line::agrees("the summary of training", "follows from its log"),
        Some(place) => Line::differs("the summary of training", format!("it does not follow from its log: {place}")),
    })
}

/// Whether the validators still find what they found in the data, which is here.
fn findings(session: &mut Session, evaluated: &Frozen) -> Option<Line> {
    evaluated.files.get(&Role::Artefact(FINDINGS.into()))?;
    let what = "the findings";
    let stored = jsonl::read::<Finding>(&session.artefact(FINDINGS), "validate").ok()?;
    Some(match validate::again(session) {
        Err(error) => Line::unchecked(what, error.to_string()),
        Ok(again) if again == stored => Line::agrees(what, "the validators find the same"),
        Ok(_) => Line::differs(what, "the validators find something different"),
    })
}

/// Whether the samples are the rows of the test data, which is here.
fn asked(config: &Suite, given: &Given) -> Line {
    let what = format!("the samples of `{}`", config.name);
    let selection = suite::selection(config);
    let samples = given.suites.iter().find(|(name, _)| *name == config.name).map(|(_, samples)| samples);
    let rows = dataset::load(&config.data, &config.columns, &selection);
    // Where a row stands is not kept with it.
    let placeless =
        |rows: Vec<Sample>| rows.into_iter().map(|row| Sample { place: String::new(), ..row }).collect::<Vec<_>>();
    match rows.map(placeless) {
        Err(error) => Line::unchecked(what, error.to_string()),
        Ok(rows) if samples == Some(&rows) => Line::agrees(what, "the rows of its test data"),
        Ok(_) => Line::differs(what, "not the rows of its test data"),
    }
}

fn suites(here: &mut Here<'_>, evaluated: &Frozen, given: &Given) -> Result<Vec<Partly>> {
    let loaded = |config: &Suite| {
        let samples = given.suites.iter().find(|(name, _)| *name == config.name).map(|(_, samples)| samples.clone());
        let samples = samples.ok_or_else(|| {
            Error::data(format!("{SAMPLES} has no row of suite `{}`", config.name)).hint(Here::remedy(Verb::Eval))
        })?;
        partly(here, evaluated, config, samples)
    };
    evaluated.config.suites.iter().map(loaded).collect()
}

fn partly(here: &mut Here<'_>, evaluated: &Frozen, config: &Suite, samples: Vec<Sample>) -> Result<Partly> {
    let mut present: Vec<(Entry, Plugin)> = Vec::new();
    let mut absent = Vec::new();
    for (entry, label) in config.evaluators.iter().zip(labels(&config.evaluators)) {
        let place = Use::Suite(config.name.clone(), label);
        let id = evaluated.plugin(&place).map(|used| used.id.clone()).unwrap_or_else(|| entry.plugin.clone());
        match plugin(here, evaluated, &place, entry) {
            Ok(plugin) => present.push((entry.clone(), plugin)),
            Err(reason) => absent.push((entry.name.clone().unwrap_or(id), reason)),
        }
    }
    let config = Suite { evaluators: present.iter().map(|(entry, _)| entry.clone()).collect(), ..config.clone() };
    let mut plugins = present.into_iter().map(|(_, plugin)| plugin);
    let mut next = |_: &Entry| plugins.next().ok_or_else(|| Error::run("a plugin was asked for twice"));
    Ok(Partly { suite: suite::assemble(&config, samples, String::new(), &mut next)?, absent })
}

/// The very component that was used, or why it cannot be used here.
fn plugin(here: &mut Here<'_>, evaluated: &Frozen, place: &Use, entry: &Entry) -> Result<Plugin, String> {
    let known = evaluated.files.get(&Role::Plugin(place.clone())).map(|file| file.sha256.clone());
    let known = known.ok_or("the manifest does not say which component it was")?;
    let plugin = if wire::built_in_digest(&entry.plugin).is_some_and(|found| found == known) {
        here.plugins.get(&entry.plugin).map_err(|error| error.to_string())?
    } else {
        let own = here.project.as_ref().and_then(|session| configured(&session.plan.config.suites, place));
        let found = own.filter(|name| wire::component_digest(name).is_ok_and(|it| it.as_ref() == Some(&known)));
        let name = found.ok_or_else(|| format!("its component ({}…) is not here", &known[..known.len().min(12)]))?;
        here.plugins.get(&name).map_err(|error| error.to_string())?
    };
    let lacking = |permission: &&Permission| match permission {
        Permission::Model => here.grants.judge.is_none(),
        Permission::Tokenizer => here.grants.tokenizer.is_none(),
        Permission::Log => false,
    };
    match plugin.permissions().iter().find(lacking) {
        Some(permission) => Err(format!("it asks for the `{}`, and the base model is not here", permission.name())),
        None => Ok(plugin),
    }
}

/// The component that the project's configuration has at that place.
fn configured(suites: &[Suite], place: &Use) -> Option<String> {
    let Use::Suite(name, label) = place else { return None };
    let suite = suites.iter().find(|suite| suite.name == *name)?;
    let position = labels(&suite.evaluators).iter().position(|known| known == label)?;
    suite.evaluators.get(position).map(|entry| entry.plugin.clone())
}

impl Recomputed {
    fn stopped(mut self, what: &str, error: &Error) -> Self {
        self.lines.push(Line::unchecked(what, error.to_string()));
        self.whole = false;
        self
    }

    /// The scores of a suite, plugin by plugin.
    fn scores(&mut self, here: &Here<'_>, evaluated: &Frozen, partly: &Partly, given: &Given) {
        let name = &partly.suite.config.name;
        let title = |label: &str| format!("the scores of `{name}` by `{label}`");
        for (label, reason) in &partly.absent {
            self.lines.push(Line::unchecked(title(label), reason));
            self.whole = false;
        }
        let requests = match Requests::of(&partly.suite, &here.grants, &evaluated.config) {
            Ok(requests) => requests,
            Err(error) => {
                self.lines.push(Line::unchecked(format!("the scores of `{name}`"), error.to_string()));
                self.whole = false;
                return;
            }
        };
        let mine: Vec<Score> = given.scores.iter().filter(|score| score.suite == *name).cloned().collect();
        for scorer in partly.suite.evaluators.iter().chain(&partly.suite.comparators) {
            let again = score::again(&partly.suite, &requests, &given.answered, &mine, scorer, &here.grants);
            let stored: Vec<&Score> = mine.iter().filter(|score| score.evaluator == scorer.label).collect();
            self.lines.push(match again {
                Ok(again) => scored(title(&scorer.label), &stored, &again),
                Err(error) => Line::differs(title(&scorer.label), format!("they do not follow: {error}")),
            });
        }
    }

    fn comparison(
        &mut self,
        here: &Here<'_>,
        evaluated: &Frozen,
        suites: &[Partly],
        given: &Given,
        stored: &Comparison,
    ) {
        let config = here.manifest.frozen.get(&Verb::Compare).unwrap_or(evaluated).config.clone();
        let compared: Vec<Compared> =
            match suites.iter().map(|partly| compared(here, partly, evaluated, stored)).collect() {
                Ok(compared) => compared,
                Err(error) => {
                    let error: Error = error;
                    self.lines.push(Line::unchecked("the comparison", error.to_string()));
                    self.whole = false;
                    return;
                }
            };
        self.lines.push(match compare::make(&compared, &given.scores, &config) {
            Ok(again) => match difference(stored, &again) {
                None => Line::agrees("the comparison", "recomputed from the scores, with the same result"),
                Some(place) => Line::differs("the comparison", format!("it does not follow from the scores: {place}")),
            },
            Err(error) => Line::differs("the comparison", format!("it does not follow from the scores: {error}")),
        });
    }

    fn verdict(&mut self, here: &Here<'_>, evaluated: &Frozen, stored: Comparison) {
        let rules = here.rules(evaluated);
        let look = looks::look(evaluated, &rules.config, &stored);
        let history = History::before(&look, &here.manifest.looks);
        let gate = match report::judge(&rules.config, &stored, &history) {
            Ok(gate) => gate,
            Err(error) => {
                self.lines.push(Line::differs("the verdict", format!("it does not follow: {error}")));
                return;
            }
        };
        self.gate.clone_from(&gate);
        if !here.manifest.frozen.contains_key(&Verb::Report) {
            self.lines.push(Line::unchecked("the report", "none was written"));
            return;
        }
        let read = |name: &str| here.text(name);
        let again =
            report::build(&rules.config.run.name, evaluated.clone(), (stored, gate), &here.manifest.allowed, &read);
        match again.and_then(|report| Ok((report::contents(&report)?, report.gate))) {
            Ok((contents, gate)) => self.reports(here, rules, &contents, gate.as_ref()),
            Err(error) => self.lines.push(Line::unchecked("the report", error.to_string())),
        }
    }

    /// The report's files, rendered again; another version of Diapason renders differently, but decides the same.
    fn reports(&mut self, here: &Here<'_>, rules: &Frozen, contents: &[String; 4], gate: Option<&GateResult>) {
        let told = here.text("report.json").and_then(|text| {
            let value: Result<Value, _> = serde_json::from_str(&text);
            value.map_err(|source| Error::data("failed to understand report.json").because(source))
        });
        self.lines.push(match told {
            Err(error) => Line::unchecked("the verdict", error.to_string()),
            Ok(told) => match difference(&told["gate"], &gate) {
                None => Line::agrees("the verdict", "decided again by the report's rules, with the same result"),
                Some(place) => Line::differs("the verdict", format!("report.json has another one: {place}")),
            },
        });
        for (name, content) in artefact::REPORT.iter().zip(contents) {
            let what = format!("what {name} says");
            self.lines.push(match here.text(name) {
                Err(_) => Line::unchecked(what, "it is not here"),
                Ok(found) if found == *content => Line::agrees(what, "follows from the other files"),
                Ok(_) if rules.diapason != env!("CARGO_PKG_VERSION") => {
                    Line::unchecked(what, format!("Diapason {} wrote it", rules.diapason))
                }
                Ok(_) => Line::differs(what, "does not follow from the other files"),
            });
        }
    }
}

/// The suite as the comparison sees it. What a plugin that is not here measures is taken from the comparison itself.
fn compared(here: &Here<'_>, partly: &Partly, evaluated: &Frozen, stored: &Comparison) -> Result<Compared> {
    let name = &partly.suite.config.name;
    let mut described = partly.suite.describe(&here.grants)?;
    let told = stored.suites.iter().find(|suite| suite.name == *name);
    for (label, _) in &partly.absent {
        let mine: Vec<&MeasureComparison> =
            told.iter().flat_map(|suite| &suite.measures).filter(|measure| measure.evaluator == *label).collect();
        described.push(Described {
            name: label.clone(),
            comparator: mine.iter().any(|measure| measure.comparator),
            measures: mine.iter().map(|measure| measure.info.clone()).collect(),
        });
    }
    let order = order(evaluated, name);
    described.sort_by_key(|plugin| (plugin.comparator, order.iter().position(|known| *known == plugin.name)));
    Ok(Compared {
        name: name.clone(),
        samples: partly.suite.samples.iter().map(Listed::from).collect(),
        evaluators: described,
    })
}

/// The names of a suite's plugins as in the configuration.
fn order(evaluated: &Frozen, suite: &str) -> Vec<String> {
    let Some(config) = evaluated.config.suites.iter().find(|config| config.name == suite) else { return Vec::new() };
    let name = |(entry, label): (&Entry, String)| {
        let used = evaluated.plugin(&Use::Suite(suite.into(), label));
        entry.name.clone().or_else(|| used.map(|used| used.id.clone())).unwrap_or_default()
    };
    config.evaluators.iter().zip(labels(&config.evaluators)).map(name).collect()
}

fn scored(title: String, stored: &[&Score], again: &[Score]) -> Line {
    let differs = stored.iter().zip(again).find_map(|(stored, again)| Some((again, difference(stored, again)?)));
    match differs {
        Some((score, place)) => {
            let arm = score.contrast().map_or_else(|| score.arm.to_string(), |contrast| contrast.to_string());
            let sample = &score.sample;
            Line::differs(title, format!("they do not follow from the answers: sample {sample}, {arm}: {place}"))
        }
        None if stored.len() != again.len() => {
            Line::differs(title, format!("there are {}, expected {}", stored.len(), again.len()))
        }
        None => Line::agrees(title, format!("{} recomputed from the answers, with the same result", again.len())),
    }
}
