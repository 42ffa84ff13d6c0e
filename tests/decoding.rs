//! What a model's `generation_config.json` does to a run: it acts on both arms, belongs to the answers' inputs, and is refused
//! before any work where it cannot be done.

use crate::project::{self, add_merge, diapason, put, said};
use crate::tampering::project::copy;
use std::path::Path;

const FILE: &str = "base/generation_config.json";

/// A project on a copy of the tiny model, with these fields in its `generation_config.json`.
fn folder(fields: &str, config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    copy(Path::new(project::MODEL), &folder.path().join("base"));
    let head = project::head().replace("epochs = 20", "epochs = 1").replace(project::MODEL, "base");
    project::write(folder.path(), &(head + project::SUITE + config));
    put(folder.path(), "test.jsonl", &project::rows(100, 104));
    put(folder.path(), FILE, &format!("{{\n\"eos_token_id\": 257,\n{fields}\n}}"));
    folder
}

/// The texts of an arm.
fn answers(folder: &Path, arm: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(format!("run/outputs.{arm}.jsonl"))).expect("outputs");
    let row = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    text.lines().map(|line| row(line)["completions"][0]["text"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn it_acts_on_both_arms_and_belongs_to_their_inputs() {
    let folder = folder("\"min_new_tokens\": 1", "[generate]\nmax_tokens = 6\n");
    for verb in ["train", "eval"] {
        let output = diapason(folder.path(), &[verb]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    let before = ["base", "tuned"].map(|arm| answers(folder.path(), arm));
    // Every token but that of `Q`.
    let others: Vec<u32> = (0..264).filter(|id| *id != u32::from(b'Q' - 33)).collect();
    put(folder.path(), FILE, &format!("{{\"eos_token_id\": 257, \"suppress_tokens\": {others:?}}}"));
    let output = diapason(folder.path(), &["eval"]);
    assert!(said(&output).contains("generation_config.json"), "training rests on another file: {}", said(&output));
    for verb in ["train", "eval"] {
        let output = diapason(folder.path(), &[verb]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    for (arm, before) in ["base", "tuned"].into_iter().zip(before) {
        let after = answers(folder.path(), arm);
        assert!(after.iter().all(|text| text == "QQQQQQ"), "{arm}: {after:?}");
        assert_ne!(after, before, "{arm}");
    }
}

#[test]
fn what_cannot_be_done_is_refused_before_any_work() {
    let folder = folder("\"num_beams\": 4", "");
    for verb in ["validate", "train", "eval", "run"] {
        let output = diapason(folder.path(), &[verb]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(4), "{verb}: {text}");
        for word in ["`num_beams` in base/generation_config.json line 3 is 4", "beam search", "Hint: "] {
            assert!(text.contains(word), "{verb}: expected `{word}` in: {text}");
        }
        assert!(!folder.path().join("run/adapter").exists(), "{verb} worked: {text}");
    }
}

#[test]
fn what_the_project_says_is_named_where_answers_are_sampled() {
    let folder = folder("\"top_k\": 20, \"temperature\": 0.6, \"min_p\": 0.1", "");
    let ask = |temperature: &str| {
        let fixed = ["generate", "--model", "base", "--raw", "--prompt", "q", "--max-tokens", "1", "--temperature"];
        said(&diapason(folder.path(), &[&fixed[..], &[temperature]].concat()))
    };
    let said = ask("0.7");
    assert!(said.contains("`top_k`, `min_p` of the model's files are not used"), "{said}");
    assert!(!ask("0").contains("not used"));
}

#[test]
fn an_export_says_what_llama_cpp_does_without() {
    let folder =
        folder("\"repetition_penalty\": 1.1, \"top_k\": 20, \"no_repeat_ngram_size\": 3, \"min_length\": 0", "");
    add_merge(&folder.path().join("base"));
    let output = diapason(folder.path(), &["export", "--model", "base", "--out", "m.gguf"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("no place for `repetition_penalty`, `no_repeat_ngram_size`, by which"), "{text}");
}
