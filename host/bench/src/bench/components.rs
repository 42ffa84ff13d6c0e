//! Loading and scoring of the built-in components.

use super::{median, timed};
use crate::root;
use anyhow::{Context, Result, bail};
use diapason_core::config::Limits;
use diapason_core::language_model::{Completion, Finish, Likelihood};
use diapason_core::sample::{Message, Sample};
use diapason_core::score::{Observation, Pair, Side};
use diapason_sandbox::{Capability, Comparator, Engine, Evaluator, Grants, Plugin};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

pub(super) fn run(repeats: usize) -> Result<()> {
    println!("{:<22} {:>8} {:>10} {:>10}", "component", "KiB", "cold ms", "cached ms");
    let cache = tempfile::tempdir()?;
    let mut plugins = Vec::new();
    for path in prebuilt()? {
        plugins.push(load(&path, &cache.path().join("compiled"), repeats)?);
    }
    println!("\n{:<22} {:>10} {:>10} {:>10}   samples per second at 1, 100 and 10,000", "evaluator", 1, 100, 10_000);
    for plugin in plugins.iter().filter(|plugin| scores(plugin)) {
        let rates = [1, 100, 10_000].map(|count| rate(plugin, count, repeats));
        let [one, hundred, many] = rates;
        println!("{:<22} {:>10.0} {:>10.0} {:>10.0}", plugin.id(), one?, hundred?, many?);
    }
    Ok(())
}

fn prebuilt() -> Result<Vec<PathBuf>> {
    let folder = root().join("plugins/prebuilt");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("failed to list {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    paths.sort();
    Ok(paths)
}

/// Compiles once without a cache, then measures loading from a filled one.
fn load(path: &Path, cache: &Path, repeats: usize) -> Result<Plugin> {
    let bytes = std::fs::read(path)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let limits = Limits::default();
    let cold_engine = Engine::new(None)?;
    let cold = timed(&mut || Ok(Plugin::from_bytes(&cold_engine, &name, &bytes, &limits).map(drop)?))?;
    let engine = Engine::new(Some(cache.to_owned()))?;
    if let Some(reason) = engine.cache_refusal() {
        bail!("the cache is not used: {reason}");
    }
    let cached = median(repeats, || Ok(Plugin::from_bytes(&engine, &name, &bytes, &limits).map(drop)?))?;
    let [cold, cached] = [cold, cached].map(|time| time.as_secs_f64() * 1e3);
    println!("{name:<22} {:>8} {cold:>10.1} {cached:>10.2}", bytes.len() / 1024);
    Ok(Plugin::from_bytes(&engine, &name, &bytes, &limits)?)
}

fn scores(plugin: &Plugin) -> bool {
    plugin.capabilities().iter().any(|capability| matches!(capability, Capability::Evaluator | Capability::Comparator))
}

fn rate(plugin: &Plugin, count: usize, repeats: usize) -> Result<f64> {
    let (settings, grants) = (settings(plugin.id()), Grants::default());
    let observations: Vec<_> = (0..count).map(observation).collect();
    let time = if plugin.capabilities().contains(&Capability::Evaluator) {
        let mut evaluator = Evaluator::new(plugin, &settings, &grants)?;
        median(repeats, || Ok(evaluator.score(&observations).map(drop)?))?
    } else {
        let mut comparator = Comparator::new(plugin, &settings, &grants)?;
        let pairs: Vec<_> = observations.into_iter().map(pair).collect();
        median(repeats, || Ok(comparator.compare(&pairs).map(drop)?))?
    };
    Ok(count as f64 / time.as_secs_f64())
}

/// `eval-format` does nothing unless it is told what to check.
fn settings(plugin: &str) -> Map<String, Value> {
    match plugin {
        "eval-format" => [("json".to_owned(), json!(true))].into_iter().collect(),
        _ => Map::new(),
    }
}

/// A question with a context of some 60 words and an answer of a dozen.
fn observation(index: usize) -> Observation {
    let context = format!(
        "The tower of Pisa was begun in {} and leans by about four degrees. Galileo Galilei is said to have dropped two \
         balls of different weight from it, which Vincenzo Viviani told in a biography printed in 1717. \"It moves\", he \
         wrote, and the citizens of Pisa agreed.",
        1000 + index % 900
    );
    let row = json!({"context": context, "question": "When was it begun?"}).to_string();
    let sample = Sample {
        id: index.to_string(),
        messages: vec![Message::new("user", format!("{context}\n\nWhen was it begun?"))],
        reference: Some(format!("The tower was begun in {}.", 1000 + index % 900)),
        choices: vec!["early".into(), "late".into()],
        context: Some(context),
        row,
        ..Sample::default()
    };
    let completion =
        Completion { text: "The tower was begun in 1173 by Galileo.".into(), tokens: 12, finish: Finish::Stop };
    let likelihood = Likelihood { logprob: -3.0, tokens: 1, bytes: 5, greedy: false };
    Observation { sample, completions: vec![completion], likelihoods: vec![likelihood; 2] }
}

fn pair(observation: Observation) -> Pair {
    let measures = vec![diapason_core::score::Measure { name: "eval-accuracy.exact-match".into(), value: 1.0 }];
    let side = Side { completions: observation.completions, measures };
    Pair { sample: observation.sample, reference: side.clone(), candidate: side }
}
