//! Suites with their samples and the plugins that judge them.

use crate::wire::Plugins;
use diapason_core::compare::{Described, Listed, Suite as Compared};
use diapason_core::config::{self, Suite};
use diapason_core::dataset::{self, Selection};
use diapason_core::manifest::{Manifest, digest_of};
use diapason_core::sample::Sample;
use diapason_core::{Error, Result, digest};
use diapason_sandbox::{Capability, Comparator, Evaluator, Grants, Plugin};

/// A suite, read.
pub(super) struct LoadedSuite {
    pub(super) config: Suite,
    pub(super) samples: Vec<Sample>,
    pub(super) evaluators: Vec<Scorer>,
    pub(super) comparators: Vec<Scorer>,
    /// Digest of the file and of what is taken of it.
    pub(super) digest: String,
}

/// A plugin in a suite.
pub(super) struct Scorer {
    /// Its name in rules and in the report.
    pub(super) label: String,
    pub(super) plugin: Plugin,
    pub(super) settings: serde_json::Map<String, serde_json::Value>,
}

impl Scorer {
    pub(super) fn evaluator(&self, grants: &Grants) -> Result<Evaluator> {
        Evaluator::new(&self.plugin, &self.settings, grants)
    }

    pub(super) fn comparator(&self, grants: &Grants) -> Result<Comparator> {
        Comparator::new(&self.plugin, &self.settings, grants)
    }

    /// What its judgements depend on, beside what it is shown.
    pub(super) fn digest(&self) -> String {
        let settings = serde_json::Value::Object(self.settings.clone()).to_string();
        digest_of([("label", self.label.as_str()), ("plugin", self.plugin.sha256()), ("settings", settings.as_str())])
    }
}

/// Reads the suite's samples and loads its plugins; records the digests of both.
pub(super) fn load(config: &Suite, plugins: &mut Plugins, manifest: &mut Manifest) -> Result<LoadedSuite> {
    let selection = Selection { limit: config.limit, system: config.system.as_deref() };
    let samples = dataset::load(&config.data, &selection)?;
    let file = digest::of_file(&config.data)?;
    manifest.digests.insert(format!("data.{}", config.name), file.clone());
    let (limit, system) = (format!("{:?}", config.limit), format!("{:?}", config.system));
    let digest = digest_of([("file", file.as_str()), ("limit", limit.as_str()), ("system", system.as_str())]);
    let (evaluators, comparators) = scorers(config, plugins)?;
    for Scorer { plugin, .. } in evaluators.iter().chain(&comparators) {
        manifest.digests.insert(format!("plugin.{}", plugin.id()), plugin.sha256().into());
    }
    Ok(LoadedSuite { config: config.clone(), samples, evaluators, comparators, digest })
}

/// The suite's evaluators and its comparators.
pub(super) fn scorers(config: &Suite, plugins: &mut Plugins) -> Result<(Vec<Scorer>, Vec<Scorer>)> {
    let (mut evaluators, mut comparators) = (Vec::new(), Vec::new());
    for entry in &config.evaluators {
        let plugin = plugins.get(&entry.plugin)?;
        config::check_settings(plugin.id(), plugin.settings_schema(), &entry.settings)?;
        let scorer = Scorer { label: label(entry, &plugin), plugin, settings: entry.settings.clone() };
        sort(scorer, &config.name, &mut evaluators, &mut comparators)?;
    }
    Ok((evaluators, comparators))
}

/// A plugin's name in rules and in the report.
pub(super) fn label(entry: &config::Plugin, plugin: &Plugin) -> String {
    entry.name.clone().unwrap_or_else(|| plugin.id().to_owned())
}

/// What a plugin measures.
pub(super) fn describe(scorer: &Scorer, comparator: bool, grants: &Grants) -> Result<Described> {
    let measures =
        if comparator { scorer.comparator(grants)?.describe()? } else { scorer.evaluator(grants)?.describe()? };
    Ok(Described { name: scorer.label.clone(), comparator, measures })
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
