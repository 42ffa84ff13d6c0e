//! Suites with their samples and the plugins that judge them.

use crate::wire::Plugins;
use diapason_core::compare::{Described, Listed, Suite as Compared};
use diapason_core::config::{Plugin as Entry, Suite};
use diapason_core::digest;
use diapason_core::sample::Sample;
use diapason_core::schema;
use diapason_core::score::MeasureInfo;
use diapason_core::{Error, Result};
use diapason_project::dataset::{self, Selection};
use diapason_sandbox::{Capability, Comparator, Evaluator, Grants, Plugin};
use std::collections::BTreeMap;

/// A suite, read.
pub(super) struct LoadedSuite {
    pub(super) config: Suite,
    pub(super) samples: Vec<Sample>,
    pub(super) evaluators: Vec<Scorer>,
    pub(super) comparators: Vec<Scorer>,
    /// Digest of the file.
    pub(super) file: String,
    /// Digest of the file and of what is taken of it.
    pub(super) digest: String,
}

/// A plugin in a suite.
pub(super) struct Scorer {
    /// Its name in rules and in the report.
    pub(super) label: String,
    pub(super) plugin: Plugin,
    pub(super) settings: serde_json::Map<String, serde_json::Value>,
    /// Bounds of measures that the plugin gives none.
    bounds: BTreeMap<String, (f64, f64)>,
}

impl Scorer {
    pub(super) fn evaluator(&self, grants: &Grants) -> Result<Evaluator> {
        Evaluator::new(&self.plugin, &self.settings, grants)
    }

    pub(super) fn comparator(&self, grants: &Grants) -> Result<Comparator> {
        Comparator::new(&self.plugin, &self.settings, grants)
    }

    /// The plugin's measures with the bounds that the configuration adds.
    fn bounded(&self, mut measures: Vec<MeasureInfo>) -> Result<Vec<MeasureInfo>> {
        for (name, bounds) in &self.bounds {
            let known: Vec<String> = measures.iter().map(|info| info.name.clone()).collect();
            let Some(info) = measures.iter_mut().find(|info| info.name == *name) else {
                let message = format!("plugin {} has no measure `{name}` to give bounds to", self.label);
                return Err(Error::config(message).hint(schema::did_you_mean(name, known.iter().map(String::as_str))));
            };
            if info.binary || info.bounds.is_some() {
                let message = format!("measure `{name}` of plugin {} has bounds of its own", self.label);
                return Err(Error::config(message).hint("remove it from the evaluator's `bounds`"));
            }
            info.bounds = Some(*bounds);
        }
        Ok(measures)
    }

    /// What its judgements depend on, beside what it is shown.
    pub(super) fn digest(&self) -> String {
        let settings = serde_json::Value::Object(self.settings.clone()).to_string();
        digest::of_parts([
            ("label", self.label.as_str()),
            ("plugin", self.plugin.sha256()),
            ("settings", settings.as_str()),
        ])
    }
}

/// Reads the suite's samples and loads its plugins.
pub(super) fn load(config: &Suite, plugins: &mut Plugins) -> Result<LoadedSuite> {
    let selection = selection(config);
    let (text, file) = dataset::read(&config.data, &config.columns)?;
    let samples = dataset::parse(&text, &config.data.display().to_string(), &selection)?;
    answerable(&samples)?;
    assemble(config, samples, file, &mut |entry| plugins.get(&entry.plugin))
}

/// What is taken of the suite's file, and what rows are given that do not say it.
pub(super) fn selection(config: &Suite) -> Selection<'_> {
    let variables = Some(&config.template_variables);
    Selection { limit: config.limit, system: config.system.as_deref(), variables, task: config.task.as_ref() }
}

/// Refuses rows that end with a turn which is marked as wrong: it is no reference to hold answers against.
fn answerable(samples: &[Sample]) -> Result<()> {
    let Some(sample) = samples.iter().find(|sample| sample.has_unlearned_reference()) else { return Ok(()) };
    let message = format!("{} has no reference: {UNLEARNED}", sample.place);
    Err(Error::data(message).hint(UNLEARNED_HINT))
}

/// Why a row's last turn is no reference.
pub(super) const UNLEARNED: &str = "its last turn is marked as not to be trained on";
pub(super) const UNLEARNED_HINT: &str = "give the row a `reference`, or remove the mark or the turn";

/// The suite with samples that were read from a file of that digest.
pub(super) fn assemble(
    config: &Suite,
    samples: Vec<Sample>,
    file: String,
    get: &mut dyn FnMut(&Entry) -> Result<Plugin>,
) -> Result<LoadedSuite> {
    let (limit, system) = (format!("{:?}", config.limit), format!("{:?}", config.system));
    let mut parts = vec![("file", file.as_str()), ("limit", limit.as_str()), ("system", system.as_str())];
    let columns = serde_json::json!(config.columns).to_string();
    if !config.columns.is_empty() {
        parts.push(("columns", columns.as_str()));
    }
    let variables = serde_json::json!(config.template_variables).to_string();
    if !config.template_variables.is_empty() {
        parts.push(("template variables", variables.as_str()));
    }
    let task = serde_json::json!(config.task).to_string();
    if config.task.is_some() {
        parts.push(("task", task.as_str()));
    }
    let digest = digest::of_parts(parts);
    let (evaluators, comparators) = scorers(config, get)?;
    Ok(LoadedSuite { config: config.clone(), samples, evaluators, comparators, file, digest })
}

/// The suite's evaluators and its comparators.
pub(super) fn scorers(
    config: &Suite,
    get: &mut dyn FnMut(&Entry) -> Result<Plugin>,
) -> Result<(Vec<Scorer>, Vec<Scorer>)> {
    let (mut evaluators, mut comparators) = (Vec::new(), Vec::new());
    for entry in &config.evaluators {
        let plugin = get(entry)?;
        schema::check_settings(plugin.id(), plugin.settings_schema(), &entry.settings)?;
        let label = label(entry, &plugin);
        let scorer = Scorer { label, plugin, settings: entry.settings.clone(), bounds: entry.bounds.clone() };
        sort(scorer, &config.name, &mut evaluators, &mut comparators)?;
    }
    Ok((evaluators, comparators))
}

/// A plugin's name in rules and in the report.
pub(super) fn label(entry: &Entry, plugin: &Plugin) -> String {
    entry.name.clone().unwrap_or_else(|| plugin.id().to_owned())
}

/// What a plugin measures.
pub(super) fn describe(scorer: &Scorer, comparator: bool, grants: &Grants) -> Result<Described> {
    let measures =
        if comparator { scorer.comparator(grants)?.describe()? } else { scorer.evaluator(grants)?.describe()? };
    Ok(Described { name: scorer.label.clone(), comparator, measures: scorer.bounded(measures)? })
}

/// An evaluator scores each model by itself, even where the component could also compare.
fn sort(scorer: Scorer, suite: &str, evaluators: &mut Vec<Scorer>, comparators: &mut Vec<Scorer>) -> Result<()> {
    let capabilities = scorer.plugin.capabilities();
    if capabilities.contains(&Capability::Evaluator) {
        evaluators.push(scorer);
    } else if capabilities.contains(&Capability::Comparator) {
        comparators.push(scorer);
    } else {
        let message =
            format!("plugin {} of suite `{suite}` is neither an evaluator nor a comparator", scorer.plugin.id());
        return Err(
            Error::config(message).hint("validators belong under `[[validator]]`, chat templates under `[template]`")
        );
    }
    Ok(())
}

impl LoadedSuite {
    /// The suite's plugins with what they measure.
    pub(super) fn describe(&self, grants: &Grants) -> Result<Vec<Described>> {
        let evaluators = self.evaluators.iter().map(|scorer| describe(scorer, false, grants));
        evaluators.chain(self.comparators.iter().map(|scorer| describe(scorer, true, grants))).collect()
    }

    /// The suite as the comparison sees it.
    pub(super) fn compared(&self, grants: &Grants) -> Result<Compared> {
        Ok(Compared {
            name: self.config.name.clone(),
            samples: self.samples.iter().map(Listed::from).collect(),
            evaluators: self.describe(grants)?,
        })
    }
}
