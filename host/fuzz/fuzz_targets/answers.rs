//! Answers that were made elsewhere, in any of their forms, given to the samples of a suite.
#![no_main]

#[path = "../reading.rs"]
mod reading;

use diapason_project::dataset::{self, Selection};
use diapason_project::foreign::{self, Suite};

const ROWS: &str = "{\"id\": \"refund\", \"prompt\": \"How do I get a refund?\"}\n{\"prompt\": \"When are you open?\"}\n";

thread_local! {
    static PLACE: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
}

libfuzzer_sys::fuzz_target!(init: reading::forgive_caught_panics(), |bytes: &[u8]| {
    PLACE.with(|place| {
        let path = place.path().join("answers.jsonl");
        std::fs::write(&path, bytes).expect("written");
        let samples = dataset::parse(ROWS, "rows.jsonl", &Selection::default()).expect("rows");
        if let Ok(answers) = foreign::read(&path) {
            let _ = foreign::matched(answers, &[Suite { name: "own", samples: &samples, prompts: &[] }], "answers.jsonl");
        }
    });
});
