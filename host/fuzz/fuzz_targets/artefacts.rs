//! The artefacts of a run that later verbs read: manifest, outputs, scores, comparison, findings.
#![no_main]

use diapason_core::compare::Comparison;
use diapason_core::finding::Finding;
use diapason_core::score::{Output, Score};
use diapason_project::manifest::Manifest;

thread_local! {
    static PLACE: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = serde_json::from_slice::<Output>(bytes);
    let _ = serde_json::from_slice::<Score>(bytes);
    let _ = serde_json::from_slice::<Comparison>(bytes);
    let _ = serde_json::from_slice::<Finding>(bytes);
    PLACE.with(|place| {
        std::fs::write(place.path().join("manifest.json"), bytes).expect("written");
        let _ = Manifest::open(place.path(), "0.0.0").map(|manifest| manifest.stands("eval", "", place.path()));
    });
});
