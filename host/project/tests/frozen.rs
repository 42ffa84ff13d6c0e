//! What was frozen against what there is now, on configurations as they are read.
#![allow(clippy::unwrap_used, missing_docs)]

use diapason_core::config::Config;
use diapason_core::frozen::{Difference, File, Frozen, Live, Role, Verb, check_files, check_settings, portable};
use diapason_project::config;
use std::collections::BTreeMap;
use std::path::Path;

const TEXT: &str = "[run]\nname = \"a\"\n[model]\npath = \"models/base\"\n[data]\ntrain = \"d/train.jsonl\"\n\
    [generate]\nmax_tokens = 8\nbatch_size = 4\n[gate]\nalpha = 0.05\n\
    [[suite]]\nname = \"facts\"\ndata = \"d/facts.jsonl\"\n\
    evaluator = [{ plugin = \"eval-accuracy\", settings = { json = true } }, { plugin = \"p/own.wasm\", name = \"own\" }]\n\
    [[rule]]\nsuite = \"facts\"\nmeasure = \"eval-accuracy.exact-match\"\ngain = 0.1\n";

fn parsed(text: &str, folder: &str) -> Config {
    portable(&config::parse(text, "diapason.toml", Path::new(folder)).unwrap())
}

fn frozen(files: &[(Role, &str)]) -> Frozen {
    Frozen {
        date: "2026-03-01T12:00:00Z".into(),
        diapason: "0.1.0".into(),
        config: parsed(TEXT, "here"),
        files: files.iter().map(|(role, digest)| (role.clone(), File::new(*digest))).collect(),
        plugins: Vec::new(),
    }
}

/// The differences for `verb` after `from` became `to`.
fn after(verb: Verb, from: &str, to: &str) -> Vec<String> {
    assert!(TEXT.contains(from), "{from}");
    let found = check_settings(verb, &frozen(&[]), &parsed(&TEXT.replace(from, to), "here"));
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_project_that_moved_is_the_same() {
    assert_eq!(check_settings(Verb::Eval, &frozen(&[]), &parsed(TEXT, "elsewhere/deep")), []);
    assert_eq!(frozen(&[]).config.model.unwrap().path, Path::new("base"));
}

#[test]
fn every_key_that_matters_to_answers_and_scores_is_named() {
    for (from, to, said) in [
        ("max_tokens = 8", "max_tokens = 9", "`generate.max_tokens` was 8 and is 9"),
        ("max_tokens = 8", "max_tokens = 8\nstop = [\"x\"]", "`generate.stop` was [] and is [\"x\"]"),
        ("max_tokens = 8", "max_tokens = 8\ntemperature = 1.0", "`generate.temperature` was 0.0 and is 1.0"),
        ("json = true", "json = false", "`suite.facts.evaluator.eval-accuracy.settings.json` was true and is false"),
        ("[run]", "[run]\nseed = 7", "`run.seed` was 42 and is 7"),
        ("data = \"d/facts.jsonl\"", "data = \"d/facts.jsonl\"\nlimit = 3", "`suite.facts.limit` was not set and is 3"),
        (
            "data = \"d/facts.jsonl\"",
            "data = \"d/facts.jsonl\"\nsystem = \"Hi\"",
            "`suite.facts.system` was not set and is \"Hi\"",
        ),
        (
            "json = true",
            "json = true, schema = { data = 1 }",
            "`suite.facts.evaluator.eval-accuracy.settings.schema.data` was not set and is 1",
        ),
        ("[gate]", "[train]\nrank = 3\n[gate]", "`train.rank` was 16 and is 3"),
        ("[gate]", "[limits]\nfuel = 5000000\n[gate]", "`limits.fuel` was 1000000000 and is 5000000"),
        ("p/own.wasm", "p/other.wasm", "`suite.facts.evaluator.own.plugin` was \"own.wasm\" and is \"other.wasm\""),
    ] {
        assert_eq!(after(Verb::Eval, from, to), [said]);
    }
}

#[test]
fn rules_names_and_speed_are_free() {
    for (from, to) in [
        ("alpha = 0.05", "alpha = 0.01"),
        ("gain = 0.1", "gain = 0.2"),
        ("name = \"a\"", "name = \"b\""),
        ("batch_size = 4", "batch_size = 8"),
        ("models/base", "others/copy"),
        ("d/facts.jsonl", "e/f.jsonl"),
    ] {
        assert_eq!(after(Verb::Eval, from, to), Vec::<String>::new(), "{from}");
    }
    assert_eq!(after(Verb::Compare, "alpha = 0.05", "resamples = 300"), ["`gate.resamples` was 2000 and is 300"]);
    assert_eq!(after(Verb::Report, "alpha = 0.05", "alpha = 0.01"), ["`gate.alpha` was 0.05 and is 0.01"]);
}

#[test]
fn files_that_changed_went_came_or_are_out_of_sight() {
    let role = |name: &str| Role::Base(name.into());
    let before = frozen(&[(role("a"), "1"), (role("b"), "2"), (role("c"), "3"), (Role::TrainingData, "4")]);
    let live = BTreeMap::from([
        (role("a"), Live::Digest("1".into())),
        (role("b"), Live::Digest("9".into())),
        (role("c"), Live::Missing),
        (role("d"), Live::Digest("5".into())),
    ]);
    let checked = check_files(&before, &live);
    assert_eq!(checked.agree, [role("a")]);
    assert_eq!(
        checked.differ,
        [Difference::Changed(role("b")), Difference::Gone(role("c")), Difference::Added(role("d"))]
    );
    assert_eq!(checked.unknown, [(Role::TrainingData, "it is not here".to_owned())]);
}
