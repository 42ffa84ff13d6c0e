//! What the command line prints, as transcripts that can be read: `tests/cli/*.md`. Every `$ diapason` line is run (in a
//! copy of the `.in` folder beside the page, where there is one) and the page must say what came out.
//! `SNAPSHOTS=overwrite` writes the pages anew.

use std::path::Path;
use std::process::Command;

#[test]
fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cli");
    let mut pages: Vec<_> =
        std::fs::read_dir(&folder).expect("readable").map(|entry| entry.expect("readable").path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(!pages.is_empty());
    for page in pages {
        let place = tempfile::tempdir().expect("readable");
        let input = page.with_extension("in");
        if input.is_dir() {
            for file in std::fs::read_dir(input).expect("readable") {
                let file = file.expect("readable");
                std::fs::copy(file.path(), place.path().join(file.file_name())).expect("readable");
            }
        }
        let replayed = replay(&std::fs::read_to_string(&page).expect("readable"), place.path());
        snapbox::Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .eq(replayed, snapbox::Data::read_from(&page, Some(snapbox::data::DataFormat::Text)));
    }
}

/// The page with the output of its commands replaced by what they print now.
fn replay(page: &str, place: &Path) -> String {
    let mut replayed = String::new();
    let mut old_output = false;
    for line in page.lines() {
        if let Some(command) = line.strip_prefix("$ diapason") {
            replayed += &format!("{line}\n{}", run(command, place));
            old_output = true;
        } else if !old_output || line == "```" {
            old_output = false;
            replayed += &format!("{line}\n");
        }
    }
    replayed
}

/// The exit code, where it is not 0, and all that is printed.
fn run(arguments: &str, place: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_diapason"))
        .args(arguments.split_whitespace())
        .current_dir(place)
        .env("NO_COLOR", "1")
        .output()
        .expect("readable");
    let code = match output.status.code() {
        Some(0) => String::new(),
        code => format!("? {}\n", code.expect("no signal")),
    };
    code + &String::from_utf8(output.stdout).expect("UTF-8") + &String::from_utf8(output.stderr).expect("UTF-8")
}
