//! Configurations that no verb takes up: refused before any work, with file, line and hint, exit code 2.

use crate::project::{self, diapason, put, rule, said};
use std::path::Path;

const VERBS: [&str; 8] = ["validate", "plan", "train", "eval", "compare", "report", "gate", "run"];

/// Every verb refuses `config` in `folder` with these words, a line and a hint, and makes no run folder.
#[track_caller]
fn by_every_verb(folder: &Path, config: &str, words: &[&str]) {
    put(folder, "diapason.toml", config);
    for verb in VERBS {
        let output = diapason(folder, &[verb]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{verb}: {text}");
        for word in words.iter().chain(&["diapason.toml", "line ", "Hint: "]) {
            assert!(text.contains(word), "{verb}: expected `{word}` in: {text}");
        }
        assert!(output.stdout.is_empty() && !folder.join("run").exists(), "{verb} worked: {text}");
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    project::write(folder.path(), "");
    folder
}

fn config(suite: &str, rules: &str) -> String {
    project::head() + suite + rules
}

fn on(measure: &str, limit: &str) -> String {
    format!("[[rule]]\nsuite = \"ok\"\nmeasure = \"{measure}\"\n{limit}\n")
}

#[test]
fn limits_that_cannot_be_met_or_missed() {
    let folder = folder();
    for (limit, words) in [
        ("minimum = 80", ["minimum 80 can never be met", "write 0.8 for 80 %"]),
        ("minimum = 0", ["minimum 0 can never be missed", "between 0 and 1"]),
        ("minimum = -1", ["minimum -1 can never be missed", "between 0 and 1"]),
        ("maximum = 1", ["maximum 1 can never be missed", "between 0 and 1"]),
        ("maximum = -0.1", ["maximum -0.1 can never be met", "between 0 and 1"]),
        ("margin = 1", ["margin 1 can never be missed", "a difference between 0 and 1"]),
        ("margin = 5", ["margin 5 can never be missed", "write 0.05 for 5 %"]),
        ("gain = 1", ["gain 1 can never be met", "a difference between 0 and 1"]),
    ] {
        for measure in ["eval-accuracy.exact-match", "token-f1"] {
            by_every_verb(folder.path(), &config(project::SUITE, &on(measure, limit)), &words);
        }
    }
}

#[test]
fn numbers_that_are_none() {
    let folder = folder();
    for number in ["nan", "inf", "-inf"] {
        let rule = on("exact-match", &format!("minimum = 0.5\nmargin = {number}"));
        by_every_verb(folder.path(), &config(project::SUITE, &rule), &["rule.0.margin", "leave the key out"]);
    }
}

#[test]
fn names_that_mean_nothing_or_two_things() {
    let folder = folder();
    let gain = |measure| on(measure, "gain = 0.1");
    let measure = config(project::SUITE, &gain("eval-accuracy.exact-mach"));
    by_every_verb(folder.path(), &measure, &["gives the measure `eval-accuracy.exact-mach`", "exact-match`?"]);
    let twice = "[[suite]]\nname = \"ok\"\ndata = \"test.jsonl\"\nevaluator = [{ plugin = \"eval-accuracy\" }, \
                 { plugin = \"eval-accuracy\", name = \"other\" }]\n";
    by_every_verb(folder.path(), &config(twice, &gain("exact-match")), &["is ambiguous", "`other.exact-match`"]);
    let label = twice.replace("name = \"other\"", "name = \"eval-accuracy\"");
    by_every_verb(folder.path(), &config(&label, ""), &["`eval-accuracy` is used twice", "another `name`"]);
    let unknown = project::SUITE.replace("eval-accuracy", "eval-acuracy");
    by_every_verb(
        folder.path(),
        &config(&unknown, ""),
        &["suite.0.evaluator.0.plugin: unknown plugin", "eval-accuracy`?"],
    );
    let kind = project::SUITE.replace("eval-accuracy", "validate-shape");
    by_every_verb(folder.path(), &config(&kind, ""), &["is not an evaluator or a comparator"]);
    let setting = project::SUITE.replace("\"eval-accuracy\"", "\"eval-accuracy\", settings = { jsn = true }");
    by_every_verb(folder.path(), &config(&setting, ""), &["unknown key `jsn`", "did you mean `json`?"]);
    let setting = config(project::SUITE, "").replace("\"validate-shape\"", "\"validate-shape\", settings = { x = 1 }");
    by_every_verb(folder.path(), &setting, &["unknown key `x`"]);
}

/// A path and a built-in name can be one plugin: its id is what labels it.
#[test]
fn one_label_for_two_evaluators_by_their_ids() {
    let folder = folder();
    let component = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/prebuilt/eval-accuracy.wasm");
    let suite = format!(
        "[[suite]]\nname = \"ok\"\ndata = \"test.jsonl\"\nevaluator = [{{ plugin = \"eval-accuracy\" }}, {{ plugin = {component:?} }}]\n"
    );
    by_every_verb(folder.path(), &config(&suite, ""), &["`eval-accuracy` is evaluator 0 of this suite already"]);
}

#[test]
fn rules_that_say_the_same_and_rules_on_a_comparator() {
    let folder = folder();
    let same = on("exact-match", "gain = 0.1") + &on("eval-accuracy.exact-match", "gain = 0.2");
    by_every_verb(folder.path(), &config(project::SUITE, &same), &["rule.1.gain", "is in a rule above already"]);
    let suite = project::SUITE.replace(
        "[{ plugin = \"eval-accuracy\" }]",
        "[{ plugin = \"eval-accuracy\" }, { plugin = \"eval-regression\" }]",
    );
    let rule = on("eval-regression.harmful-flip", "margin = 0.1");
    by_every_verb(folder.path(), &config(&suite, &rule), &["there is no difference for `margin`", "`maximum`"]);
}

#[test]
fn files_that_do_not_exist() {
    let folder = folder();
    let good = config(project::SUITE, &rule("gain = 0.1"));
    for (from, to, word) in [
        ("train.jsonl", "none.jsonl", "data.train: "),
        ("test.jsonl", "none.jsonl", "suite.0.data: "),
        ("./t.jinja", "./none.jinja", "template.template: "),
        ("llama-tied", "none", "model.path: "),
        ("\"validate-shape\"", "\"./none.wasm\"", "validator.0.plugin: "),
        ("\"eval-accuracy\"", "\"./none.wasm\"", "suite.0.evaluator.0.plugin: "),
    ] {
        by_every_verb(folder.path(), &good.replacen(from, to, 1), &[word, "does not exist"]);
    }
}

#[test]
fn several_draws_at_temperature_0() {
    let folder = folder();
    let settings = "settings = { metrics = [\"any-exact\"], completions = 5, k = 2 }";
    let suite = project::SUITE.replace("\"eval-accuracy\"", &format!("\"eval-accuracy\", {settings}"));
    by_every_verb(folder.path(), &config(&suite, ""), &["asks for 5 completions", "generate.sampling_temperature"]);
}

#[test]
fn a_gate_without_rules() {
    let folder = folder();
    put(folder.path(), "diapason.toml", &config(project::SUITE, ""));
    let output = diapason(folder.path(), &["gate"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("has no rules") && output.stdout.is_empty());
}

/// What early stopping has seen is no evidence: neither by its name, nor under another, nor in part.
#[test]
fn the_suite_that_early_stopping_watches() {
    let folder = folder();
    let watching = config("", "").replace(
        "[train]\n",
        "[train]\nearly_stopping = { metric = \"dev.eval-accuracy.exact-match\", patience = 2 }\n",
    );
    let dev = project::SUITE.replace("\"ok\"", "\"dev\"").replace("test.jsonl", "dev.jsonl");
    put(folder.path(), "dev.jsonl", &project::rows(200, 240));
    let on_dev = rule("gain = 0.1").replace("\"ok\"", "\"dev\"");
    let said = ["rule.0.suite", "`dev` is the suite that early stopping watches", "development split"];
    by_every_verb(folder.path(), &(watching.clone() + &dev + &on_dev), &said);

    let both = watching + &dev + project::SUITE + &rule("gain = 0.1");
    put(
        folder.path(),
        "test.jsonl",
        &project::rows(100, 140).replace("\"q138\"", "\" q138 \"").replace("\"q139\"", "\"Q139 \""),
    );
    put(folder.path(), "dev.jsonl", &(project::rows(200, 240) + &project::rows(138, 140)));
    by_every_verb(folder.path(), &both, &["suite.1.data: 2 of its 40 prompts are in `dev` too", "development split"]);
    put(folder.path(), "dev.jsonl", &project::rows(100, 140));
    put(folder.path(), "test.jsonl", &project::rows(100, 140));
    by_every_verb(folder.path(), &both, &["it is the file of `dev`, which early stopping watches"]);

    put(folder.path(), "dev.jsonl", &project::rows(200, 240));
    let metric = both.replace("dev.eval-accuracy.exact-match\"", "dev.eval-accuracy.exact-mach\"");
    by_every_verb(folder.path(), &metric, &["train.early_stopping.metric", "exact-match`?"]);
    put(folder.path(), "diapason.toml", &both);
    let output = diapason(folder.path(), &["run"]);
    assert_eq!(output.status.code(), Some(0), "other rows are accepted: {}", project::said(&output));
}

/// The adapter remembers what chose it: another configuration, or another run, does not make it evidence again.
#[test]
fn rows_that_early_stopping_has_watched_before() {
    let folder = folder();
    let gated = config(project::SUITE, &rule("gain = 0.1"));
    let stop = "[train]\nearly_stopping = { metric = \"ok.eval-accuracy.exact-match\", patience = 2 }\n";
    put(folder.path(), "diapason.toml", &config(project::SUITE, "").replace("[train]\n", stop));
    let output = diapason(folder.path(), &["train"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    put(folder.path(), "diapason.toml", &gated);
    let output = diapason(folder.path(), &["eval"]);
    assert_eq!(output.status.code(), Some(2), "another configuration trained it: {}", said(&output));
    let refused = |verb| {
        let output = diapason(folder.path(), &[verb]);
        assert_eq!(output.status.code(), Some(4), "{verb}: {}", said(&output));
        assert!(said(&output).contains("early stopping chose this model by 40 of its 40 prompts"), "{}", said(&output));
    };
    let (start, end) = (gated.find("[train]").expect("a table"), gated.find("[gate]").expect("the next"));
    let bare = format!("{}{}", &gated[..start], &gated[end..]);
    let elsewhere =
        bare.replace("[model]\n", "[model]\nadapter = \"run/adapter\"\n").replace("\"run\"\n", "\"other\"\n");
    put(folder.path(), "diapason.toml", &elsewhere);
    refused("run");
    put(folder.path(), "diapason.toml", &gated);
    let output = diapason(folder.path(), &["run"]);
    assert_eq!(output.status.code(), Some(0), "trained anew without watching: {}", said(&output));
}

#[test]
fn settings_that_an_existing_adapter_would_ignore() {
    let folder = folder();
    let good = config(project::SUITE, &rule("gain = 0.1"));
    put(folder.path(), "diapason.toml", &good);
    assert_eq!(diapason(folder.path(), &["train"]).status.code(), Some(0));
    std::fs::rename(folder.path().join("run/adapter"), folder.path().join("adapter")).expect("moved");
    std::fs::remove_dir_all(folder.path().join("run")).expect("gone");
    let existing = good.replacen("[model]\n", "[model]\nadapter = \"adapter\"\n", 1);
    by_every_verb(folder.path(), &existing, &["train.rank: would be ignored", "`model.adapter`"]);
    let (start, end) = (existing.find("[train]").expect("a table"), existing.find("[gate]").expect("the next"));
    let bare = format!("{}{}", &existing[..start], &existing[end..]);
    let nowhere = bare.replace("adapter = \"adapter\"", "adapter = \"none\"");
    by_every_verb(folder.path(), &nowhere, &["model.adapter: ", "does not exist", "adapter_config.json"]);
    let held = bare.replace("train = \"train.jsonl\"\n", "train = \"train.jsonl\"\nheld_out = 0.1\n");
    by_every_verb(folder.path(), &held, &["data.held_out: would be ignored"]);
    let full = bare.clone() + "[train]\nmethod = \"full\"\n";
    by_every_verb(folder.path(), &full, &["train.method: would be ignored", "`model.precision`"]);
    put(folder.path(), "diapason.toml", &bare);
    for verb in ["train", "plan"] {
        let output = diapason(folder.path(), &[verb]);
        assert_eq!(output.status.code(), Some(2), "{verb}: {}", said(&output));
        assert!(said(&output).contains("there is nothing to train"), "{verb}: {}", said(&output));
    }
    let output = diapason(folder.path(), &["run"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}
