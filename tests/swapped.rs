//! A file that is replaced while it is at work: nobody can say which of the two an answer is of, so none is kept.

use crate::project::{self, command, diapason, said};
use crate::tampering::project::{copy, edit, flip};
use std::path::Path;

/// What is replaced, and how the error names it.
type Case = (&'static str, fn(&Path));

const CASES: &[Case] = &[
    ("t.jinja", |path| edit(path, "=", " =")),
    ("base/model.safetensors", flip),
    ("base/tokenizer.json", |path| edit(path, "{", "{ ")),
    ("run/adapter/adapter_model.safetensors", flip),
];

const OUTPUTS: [&str; 2] = ["outputs.base.jsonl", "outputs.tuned.jsonl"];

fn write(folder: &Path) {
    copy(Path::new(project::MODEL), &folder.join("base"));
    let head = project::head().replace("epochs = 20", "epochs = 1").replace(project::MODEL, "base");
    let config = head + "[generate]\nmax_tokens = 64\nbatch_size = 2\n" + project::SUITE;
    project::write(folder, &config);
    project::put(folder, "test.jsonl", &project::rows(100, 400));
}

/// Puts another file in the place of one, as a download or a deployment does it.
fn replace(path: &Path, change: fn(&Path)) {
    let beside = path.with_extension("new");
    std::fs::copy(path, &beside).expect("copied");
    change(&beside);
    std::fs::rename(&beside, path).expect("renamed");
}

/// How many arms have answers.
fn arms(run: &Path) -> usize {
    std::fs::read_dir(run.join("answers")).map_or(0, Iterator::count)
}

#[test]
fn what_was_made_meanwhile_is_not_kept() {
    let folder = tempfile::tempdir().expect("folder");
    write(folder.path());
    let (run, eval) = (folder.path().join("run"), ["eval"]);
    let output = diapason(folder.path(), &["train"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for (name, change) in CASES {
        let path = folder.path().join(name);
        let kept = std::fs::read(&path).expect("file");
        let mut child = command(folder.path(), &eval).spawn().expect("runs");
        // An arm's answers are begun once the digests of all that it is answered with are taken.
        let (begun, outputs) = if name.contains("adapter") { (2, OUTPUTS[1]) } else { (1, OUTPUTS[0]) };
        while arms(&run) < begun {
            assert!(child.try_wait().expect("state").is_none(), "{name}: ended before it began");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        replace(&path, *change);
        let output = child.wait_with_output().expect("ends");
        let text = said(&output);
        assert_eq!(output.status.code(), Some(4), "{name}: {text}");
        assert!(text.contains("changed while it was in use") && text.contains(name), "{name}: {text}");
        assert_eq!(arms(&run), begun - 1, "{name}: answers so far are gone");
        assert!(!run.join(outputs).exists(), "{name}: nothing is recorded");
        std::fs::write(&path, kept).expect("put back");
        drop(std::fs::remove_dir_all(run.join("answers")));
        OUTPUTS.iter().for_each(|name| drop(std::fs::remove_file(run.join(name))));
    }
    let output = diapason(folder.path(), &eval);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

/// What somebody else wrote where encoded rows are kept is not trained on, even where its own digests agree.
#[test]
fn encoded_rows_of_somebody_else_are_made_anew() {
    let folder = tempfile::tempdir().expect("folder");
    write(folder.path());
    let tokens = folder.path().join("run/tokens.bin");
    let train = || {
        let output = diapason(folder.path(), &["train"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        (said(&output), std::fs::read(folder.path().join("run/adapter/adapter_model.safetensors")).expect("adapter"))
    };
    let (_, first) = train();
    let mut bytes = std::fs::read(&tokens).expect("tokens");
    // Magic, digest, key; the last token of the last row becomes another.
    let last = bytes.len() - 4;
    bytes[last] ^= 1;
    let sum = diapason_core::digest::of_bytes(&bytes[72..]);
    bytes[8..72].copy_from_slice(sum.as_bytes());
    std::fs::write(&tokens, bytes).expect("written");
    std::fs::remove_dir_all(folder.path().join("run/adapter")).expect("removed");
    let (text, second) = train();
    assert!(text.contains("tokens.bin was modified since it was written"), "{text}");
    assert!(first == second, "the rows are those of the data");
}
