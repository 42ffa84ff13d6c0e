//! A Parquet dataset.
#![no_main]

#[path = "../reading.rs"]
mod reading;

use diapason_core::config::Columns;
use diapason_project::dataset::{self, Selection};

thread_local! {
    static PLACE: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
}

libfuzzer_sys::fuzz_target!(init: reading::forgive_caught_panics(), |bytes: &[u8]| {
    PLACE.with(|place| {
        let path = place.path().join("rows.parquet");
        std::fs::write(&path, bytes).expect("written");
        let _ = dataset::load(&path, &Columns::default(), &Selection::default());
    });
});
