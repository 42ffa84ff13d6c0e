//! What the command line prints, as transcripts that can be read: `tests/cli/*.md`. `TRYCMD=overwrite` writes them anew.

#[test]
fn transcripts() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cli");
    trycmd::TestCases::new()
        .register_bin("diapason", std::path::Path::new(env!("CARGO_BIN_EXE_diapason")))
        .env("NO_COLOR", "1")
        .case(format!("{folder}/*.md"));
}
