use super::*;
use crate::{Class, Error};
use std::path::Path;

const GOOD: &str = r#"
[model]
path = "base.gguf"

[data]
train = "train.jsonl"

[train]
rank = 8

[[suite]]
name = "address"
data = "/elsewhere/test.jsonl"

[[suite.evaluator]]
plugin = "eval-accuracy"

[[suite.evaluator]]
plugin = "mine/own.wasm"

[[rule]]
suite = "address"
measure = "eval-accuracy.exact-match"
gain = 0.1
"#;

fn load(text: &str) -> Result<Config, Error> {
    parse(text, "diapason.toml", Path::new("/project"))
}

/// Replaces `from` in the good file by `to` and expects to be refused with these fragments in message and hint.
#[track_caller]
fn refused(from: &str, to: &str, message: &str, hint: &str) {
    assert!(GOOD.contains(from), "{from} is not in the good file");
    let error = load(&GOOD.replacen(from, to, 1)).expect_err("must be refused");
    assert_eq!(error.class(), Class::Config);
    assert!(error.to_string().contains(message), "expected `{message}` in `{error}`");
    let given = error.hint_text().unwrap_or_default();
    assert!(given.contains(hint), "expected `{hint}` in hint `{given}`");
}

#[test]
fn the_good_file_loads_with_resolved_paths() {
    let config = load(GOOD).expect("valid");
    assert_eq!(config.train.rank, 8);
    assert_eq!(config.train.alpha, 32.0);
    assert_eq!(config.model.path, Path::new("/project/base.gguf"));
    assert_eq!(config.run.folder, Path::new("/project/runs/latest"));
    assert_eq!(config.suites[0].data, Path::new("/elsewhere/test.jsonl"));
    assert_eq!(config.suites[0].evaluators[0].plugin, "eval-accuracy");
    assert_eq!(config.suites[0].evaluators[1].plugin, "/project/mine/own.wasm");
    assert_eq!(config.validators.len(), 4);
}

#[test]
fn unknown_keys_are_refused_with_line_and_nearest() {
    refused("rank = 8", "rnk = 8", "line 9: train: unknown key `rnk`", "did you mean `rank`?");
    refused("rank = 8", "r = 8", "unknown key `r`", "`rank`");
    refused("[data]", "[dta]", "line 5: unknown key `dta`", "did you mean `data`?");
    refused("train = \"", "trian = \"", "data: unknown key `trian`", "did you mean `train`?");
    refused("gain = 0.1", "gian = 0.1", "line 24: rule.0: unknown key `gian`", "did you mean `gain`?");
    refused("plugin = \"eval-accuracy\"", "plugin = \"x\"\nsetings = {}", "unknown key `setings`", "`settings`");
}

#[test]
fn values_out_of_range_are_refused() {
    refused("rank = 8", "rank = 0", "line 9: train.rank: 0 is too small, at least 1 is needed", "");
    refused("rank = 8", "rank = \"8\"", "line 9: train.rank: integer expected, found \"8\"", "");
    refused("rank = 8", "batch_size = 0", "train.batch_size: 0 is too small", "");
    refused("rank = 8", "dropout = 1.0", "train.dropout: 1.0 is too large, less than 1 is needed", "");
    refused("rank = 8", "max_steps = 0", "train.max_steps: 0 is too small", "");
    refused("rank = 8", "method = \"lora2\"", "train.method: \"lora2\" is not accepted", "did you mean `lora`?");
    refused("rank = 8", "target_modules = [\"q_prj\"]", "line 9: train.target_modules.0: unknown layer", "`q_proj`");
    refused("[train]", "[gate]\nalpha = 1\n[train]", "gate.alpha: 1 is too large", "");
    refused("[train]", "[gate]\nalpha = 0\n[train]", "gate.alpha: 0 is too small", "");
    refused("path = \"base.gguf\"", "path = \"b\"\ndevice = \"gpu\"", "line 4: model.device: unknown device", "cuda:N");
    refused("path = \"base.gguf\"", "", "model: key \"path\" is missing", "");
}

#[test]
fn names_must_agree() {
    refused("suite = \"address\"", "suite = \"adress\"", "rule.0.suite: unknown suite `adress`", "`address`");
    refused("gain = 0.1", "", "line 21: rule.0: a rule without a condition", "`minimum`");
    refused("plugin = \"mine/own.wasm\"", "plugin = \"eval-accuracy\"", "used twice in this suite", "another `name`");
}

#[test]
fn several_problems_are_listed_together() {
    let error = load(&GOOD.replace("rank = 8", "rnk = 8\nepochs = 0")).expect_err("must be refused").to_string();
    assert!(error.contains("unknown key `rnk`") && error.contains("train.epochs"), "{error}");
}

#[test]
fn broken_toml_names_the_line() {
    refused("rank = 8", "rank = ", "failed to parse diapason.toml: line 9", "quotes");
}

#[test]
fn the_schema_accepts_the_defaults() {
    let config = load(GOOD).expect("valid");
    let text = toml::to_string(&config).expect("serialises");
    assert_eq!(load(&text).expect("its own output is valid"), config);
}
