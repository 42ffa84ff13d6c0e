//! Adapters, precision and rates through the binary: what is refused is refused by every verb, `validate` among them.

use crate::project::{self, MODEL, diapason, put, said};
use std::path::Path;

const ADAPTERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/golden/adapters");

/// A copy of the golden adapter `name` in `folder`, in whose configuration `from` becomes `to`.
fn adapter(folder: &Path, name: &str, from: &str, to: &str) {
    let copy = folder.join("adapter");
    std::fs::create_dir(&copy).expect("folder");
    let golden = Path::new(ADAPTERS).join(name);
    std::fs::copy(golden.join("adapter_model.safetensors"), copy.join("adapter_model.safetensors")).expect("copied");
    let text = std::fs::read_to_string(golden.join("adapter_config.json")).expect("read");
    assert!(text.contains(from), "{text}");
    put(&copy, "adapter_config.json", &text.replace(from, to));
}

/// The project's configuration with this adapter, without what would train one.
fn existing() -> String {
    let config = project::head() + project::SUITE;
    let (start, end) = (config.find("[train]").expect("a table"), config.find("[gate]").expect("the next"));
    format!("{}{}", &config[..start], &config[end..]).replacen("[model]\n", "[model]\nadapter = \"adapter\"\n", 1)
}

#[test]
fn an_adapter_of_another_base_is_refused_by_every_verb() {
    for name in ["pissa", "pissa_niter_16", "olora", "corda", "loftq", "lora_ga"] {
        let folder = tempfile::tempdir().expect("folder");
        project::write(folder.path(), &existing());
        adapter(folder.path(), "list", "\"init_lora_weights\": true", &format!("\"init_lora_weights\": \"{name}\""));
        let generate: &[&str] = &["generate", "--model", MODEL, "--adapter", "adapter", "--prompt", "a", "--raw"];
        let merge: &[&str] = &["merge", "--model", MODEL, "--adapter", "adapter", "--out", "merged"];
        let export: &[&str] = &["export", "--model", MODEL, "--adapter", "adapter", "--out", "merged.gguf"];
        for verb in [&["validate"][..], &["eval"], generate, merge, export] {
            let output = diapason(folder.path(), verb);
            let text = said(&output);
            assert_eq!(output.status.code(), Some(4), "{name}, {verb:?}: {text}");
            for word in
                ["adapter_config.json line ", "`init_lora_weights` is ", "base's weights were changed", "Hint: "]
            {
                assert!(text.contains(word), "{name}, {verb:?}: expected `{word}` in: {text}");
            }
        }
        assert!(!folder.path().join("merged").exists() && !folder.path().join("merged.gguf").exists(), "half-written");
    }
}

#[test]
fn validate_finds_a_bad_adapter() {
    for (name, from, to, message) in [
        ("list", "\"LORA\"", "\"IA3\"", "`peft_type` is \"IA3\": only LORA"),
        ("list", "\"use_dora\": false", "\"use_dora\": true", "has no lora_magnitude_vector"),
        ("list", "\"lora_bias\": false", "\"lora_bias\": true", "`lora_bias` is "),
        ("list", "\"r\": 2", "\"r\": 3", "has shape [2, 32], expected [3, 32]"),
        ("list", "\"r\": 2", "\"r\": 2, \"new_field\": 1", "`new_field` is "),
        ("head", "\"r\": 1", "\"r\": 1", "embedding and output head are one"),
    ] {
        let folder = tempfile::tempdir().expect("folder");
        project::write(folder.path(), &existing());
        adapter(folder.path(), name, from, to);
        let output = diapason(folder.path(), &["validate"]);
        let text = said(&output);
        assert_eq!((output.status.code(), text.contains(message)), (Some(4), true), "{message}: {text}");
    }
    let folder = tempfile::tempdir().expect("folder");
    project::write(folder.path(), &existing());
    adapter(folder.path(), "list", "\"r\": 2", "\"r\": 2");
    assert!(diapason(folder.path(), &["validate"]).status.success(), "the adapter as it was");
}

#[test]
fn validate_finds_a_run_that_cannot_learn() {
    for (train, key, message) in [
        ("max_steps = 1\nwarmup = 0.03", "train.warmup", "the only step has the learning rate 0"),
        ("batch_size = 64\nepochs = 1\nwarmup = 0.5", "train.warmup", "the only step has the learning rate 0"),
        ("max_steps = 3\nlearning_rate = 1e-200", "train.learning_rate", "nothing would be learned"),
        ("learning_rate = 0", "train.learning_rate", "0"),
        ("max_steps = 0", "train.max_steps", "0"),
    ] {
        let folder = tempfile::tempdir().expect("folder");
        let config =
            project::head().replace("gradient_accumulation = 1\n", &format!("gradient_accumulation = 1\n{train}\n"));
        // A key of the project's own gives way.
        let own = |line: &&str| {
            !["batch_size = 8", "epochs = 20", "learning_rate = 2e-2"]
                .iter()
                .any(|own| line == own && train.contains(&own[..own.find('=').expect("a key")]))
        };
        let config: String = config.lines().filter(own).map(|line| format!("{line}\n")).collect();
        project::write(folder.path(), &config);
        for verb in ["validate", "train", "run"] {
            let output = diapason(folder.path(), &[verb]);
            let text = said(&output);
            assert_eq!(output.status.code(), Some(2), "{train}, {verb}: {text}");
            for word in [key, message, "line ", "Hint: "] {
                assert!(text.contains(word), "{train}, {verb}: expected `{word}` in: {text}");
            }
        }
        assert!(!folder.path().join("run/adapter").exists(), "{train}: it trained");
    }
}

/// What training is done in is `[train]`'s to say, what answers are made in only `[model]`'s.
#[test]
fn training_in_four_bits_does_not_change_what_the_base_answers() {
    let answers = |method: &str, precision: &str| {
        let folder = tempfile::tempdir().expect("folder");
        let train = format!("[train]\nmethod = \"{method}\"\n");
        let config = (project::head() + project::SUITE)
            .replacen("[train]\n", &train, 1)
            .replacen("device = \"cpu\"\n", &format!("device = \"cpu\"\n{precision}"), 1)
            .replacen("epochs = 20", "epochs = 4", 1);
        project::write(folder.path(), &config);
        for verb in ["train", "eval"] {
            let output = diapason(folder.path(), &[verb, "-q"]);
            assert!(output.status.success(), "{method}, {verb}: {}", said(&output));
        }
        let read = |name: &str| std::fs::read_to_string(folder.path().join("run").join(name)).expect(name);
        let (base, tuned) = (read("outputs.base.jsonl"), read("outputs.tuned.jsonl"));
        // The adapter alone, with nothing that says how it was trained.
        std::fs::rename(folder.path().join("run/adapter"), folder.path().join("adapter")).expect("moved");
        std::fs::remove_dir_all(folder.path().join("run")).expect("gone");
        let precision = format!("device = \"cpu\"\n{precision}");
        put(folder.path(), "diapason.toml", &existing().replacen("device = \"cpu\"\n", &precision, 1));
        let output = diapason(folder.path(), &["eval", "-q"]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            read("outputs.base.jsonl") == base && read("outputs.tuned.jsonl") == tuned,
            "{method}: `[train]` decided"
        );
        base
    };
    let base = answers("qlora", "");
    assert!(base == answers("lora", ""), "the base answers otherwise beside an adapter trained in 4 bits");
    assert!(base != answers("qlora", "precision = \"nf4\"\n"), "`precision` changes nothing: this test shows nothing");
}
