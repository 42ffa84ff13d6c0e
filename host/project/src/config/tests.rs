use super::{parse, schema};
use diapason_core::config::*;
use diapason_core::{Class, Error};
use serde_json::Value;
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
    assert_eq!(config.base().map(|model| model.path.as_path()).ok(), Some(Path::new("/project/base.gguf")));
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
fn numbers_that_mean_nothing_are_refused() {
    refused("gain = 0.1", "gain = 0.1\nminimum = nan", "line 25: rule.0.minimum: `nan` is not a number", "leave");
    refused("gain = 0.1", "gain = inf", "line 24: rule.0.gain: inf is not a finite number", "");
    refused("rank = 8", "rank = 8.0", "line 9: train.rank: 8.0 is not a whole number", "without a point");
    refused("rank = 8", "rank_pattern = { q_proj = 2.0 }", "train.rank_pattern.q_proj: 2.0 is not a whole", "");
    refused("plugin = \"eval-accuracy\"", "plugin = \"a\"\nsettings = { b = [{ c = -nan }] }", "`nan` is not", "");
    load(&GOOD.replace("rank = 8", "rank = 8\nalpha = 16\nlearning_rate = 1e-4")).expect("numbers in either spelling");
}

#[test]
fn names_are_one_line() {
    for bad in ["a\\nb", "a\\u001b[2J", "a\\u009b2J", "a\\u2028b", "\\u007f"] {
        refused(
            "name = \"address\"",
            &format!("name = \"{bad}\""),
            "suite.0.name: the name holds the control",
            "one line",
        );
        refused("[model]", &format!("[run]\nname = \"{bad}\"\n[model]"), "run.name: the name holds the control", "");
        let labelled = format!("plugin = \"eval-accuracy\"\nname = \"{bad}\"");
        refused("plugin = \"eval-accuracy\"", &labelled, "suite.0.evaluator.0.name: the name holds", "");
    }
    refused("name = \"address\"", "name = \"\"", "suite.0.name: must not be empty", "");
    let long = format!("name = \"{}\"", "x".repeat(201));
    refused("name = \"address\"", &long, "suite.0.name: has 201 characters, at most 200 are possible", "");
    refused("path = \"base.gguf\"", "path = \"\"", "line 3: model.path: must not be empty", "");
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

/// Every number of the schema with a way to write it: its table and key, and whether it is a whole number.
fn numbers(schema: &Value, node: &Value, path: &str, found: &mut Vec<(String, bool)>) {
    let node = match node.get("$ref").and_then(Value::as_str) {
        Some(name) => schema.pointer(&name[1..]).expect("a definition"),
        None => node,
    };
    for inner in node.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        numbers(schema, inner, path, found);
    }
    let types = node.get("type").map(Value::to_string).unwrap_or_default();
    if types.contains("integer") || types.contains("number") {
        found.push((path.to_owned(), types.contains("integer")));
    }
    for (key, inner) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
        numbers(schema, inner, &format!("{path}.{key}"), found);
    }
    for (keyword, place) in [("items", "0"), ("additionalProperties", "q_proj")] {
        if let Some(inner) = node.get(keyword).filter(|inner| inner.is_object()) {
            numbers(schema, inner, &format!("{path}.{place}"), found);
        }
    }
}

/// The good file with the number at `path` (`.train.rank`, `.suite.0.limit`) set.
fn with(path: &str, number: &str) -> String {
    let text = GOOD.replace("[train]", "held_out = 0.1\n\n[train]");
    let mut whole = toml::Value::Table(toml::from_str(&text).expect("the good file"));
    let value: toml::Table = toml::from_str(&format!("value = {number}")).expect("a number");
    let mut parts: Vec<&str> = path.split('.').skip(1).collect();
    let last = parts.pop().expect("a key");
    let mut place = &mut whole;
    for part in parts {
        place = match (part.parse::<usize>(), place) {
            (Ok(index), toml::Value::Array(list)) => &mut list[index],
            (_, toml::Value::Table(table)) => {
                table.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()))
            }
            _ => panic!("{path} has no place"),
        };
    }
    place.as_table_mut().expect("a table").insert(last.into(), value["value"].clone());
    toml::to_string(&whole).expect("serialises")
}

/// Every numeric key at values that somebody may write: it is taken, or refused with the line and the key; nothing overflows.
#[test]
fn every_number_is_taken_or_refused_with_its_place() {
    let schema = schema();
    let mut keys = Vec::new();
    numbers(&schema, &schema, "", &mut keys);
    assert!(keys.len() > 40, "the schema's numbers are found: {keys:?}");
    let extreme =
        ["9007199254740992", "9223372036854775807", "-9223372036854775808", "1e308", "-1e308", "nan", "inf", "-inf"];
    for (path, whole) in &keys {
        for number in ["0", "1", "-1", "-0.0", "5e-324", "0.5"].iter().chain(&extreme) {
            let text = with(path, number);
            let Err(error) = load(&text) else {
                let unlimited = ["seed", "minimum", "maximum", "margin", "gain"].iter().any(|key| path.ends_with(key));
                assert!(unlimited || !extreme.contains(number), "{path} = {number} is accepted");
                assert!(!number.ends_with("nan") && !number.ends_with("inf"), "{path} = {number} is accepted");
                assert!(!whole || !number.contains(['.', 'e']), "{path} = {number} is accepted");
                continue;
            };
            let (said, key) = (error.to_string(), path.rsplit('.').next().expect("a key"));
            assert_eq!(error.class(), Class::Config, "{path} = {number}: {said}");
            assert!(said.contains("line ") && said.contains(key), "{path} = {number}: {said}");
            assert!(error.hint_text().is_some_and(|hint| !hint.is_empty()), "{path} = {number}: {said}");
        }
    }
}

/// What passes must not overflow where the program multiplies it.
#[test]
fn the_largest_values_multiply_without_overflow() {
    let schema = schema();
    let largest = |pointer: &str| schema.pointer(&format!("{pointer}/maximum")).and_then(Value::as_u64).expect(pointer);
    let train = |key: &str| largest(&format!("/$defs/Train/properties/{key}"));
    let limits = |key: &str| largest(&format!("/$defs/Limits/properties/{key}"));
    assert!(train("batch_size").checked_mul(train("gradient_accumulation")).is_some_and(|rows| rows < 1 << 40));
    assert!(train("rank").checked_mul(1 << 24).is_some());
    assert!(limits("memory") <= 4096 && limits("output") <= 4096, "MiB become bytes in 32 bits");
    assert!(limits("seconds").checked_mul(1_000_000).is_some());
    assert!(limits("fuel").checked_mul(1_000_000).is_some(), "for each row of a batch");
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        for depth in [100, 10_000, 200_000] {
            let text = format!("{GOOD}\n[template]\nsettings = {{a={}1{}}}\n", open.repeat(depth), close.repeat(depth));
            if let Err(error) = load(&text) {
                assert_eq!(error.class(), Class::Config, "{error}");
            }
        }
    }
}
