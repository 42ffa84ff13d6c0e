//! Passages of a folder, from its files to the prompt.

use diapason_core::config::{Choose, Examples as Settings, Retrieve};
use diapason_core::sample::{Message, Sample};
use diapason_project::prompting::{Examples, Passages, Prompting};
use std::path::Path;

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    folder
}

fn open(folder: &Path, top: usize) -> diapason_core::Result<Passages> {
    Passages::open(&Retrieve { folder: folder.into(), top })
}

fn asking(question: &str) -> Sample {
    let messages = vec![Message::new("system", "Be brief."), Message::new("user", question)];
    Sample { id: "1".into(), messages, context: Some("kept".into()), ..Sample::default() }
}

const HANDBOOK: &[(&str, &[u8])] = &[
    (
        "b/returns.md",
        b"\xef\xbb\xbf# Returns\r\n\r\nA lamp may be returned.\r\n\r\n## Deadlines\r\n\r\nWithin 30 days.\r\n",
    ),
    ("a \"x\".txt", b"Opening hours: nine to five.\n"),
    (".git/config", b"[core]"),
    ("logo.png", &[0x89, b'P']),
    ("blank.txt", b" \n"),
];

#[test]
fn passages_stand_in_the_last_user_turn_with_their_source() {
    let folder = folder(HANDBOOK);
    let passages = open(folder.path(), 2).expect("passages");
    assert_eq!(passages.count(), 3);
    let left: Vec<&str> = passages.left_out().iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(left, [".git", "logo.png", "blank.txt"]);
    let prompting = Prompting { examples: None, passages: Some(passages) };
    let asked = asking("What are the deadlines for a lamp that is returned?");
    let prompt = prompting.prompt(&asked).expect("a prompt");
    assert_eq!(prompt.messages[0], asked.messages[0]);
    let expected = "Use the passages below where they help.\n\n\
        <passage source=\"b/returns.md\">\n# Returns\n\nA lamp may be returned.\n</passage>\n\n\
        <passage source=\"b/returns.md\" section=\"Returns\">\n## Deadlines\n\nWithin 30 days.\n</passage>\n\n\
        What are the deadlines for a lamp that is returned?";
    assert_eq!(prompt.messages[1].content, expected);
    let hours = prompting.prompt(&asking("hours")).expect("a prompt").messages[1].content.clone();
    assert!(
        hours.contains("<passage source=\"a &quot;x&quot;.txt\">\nOpening hours: nine to five.\n</passage>\n\nhours"),
        "{hours}"
    );
    let unknown = asking("zebra");
    assert_eq!(
        prompting.prompt(&unknown).expect("a prompt").messages,
        unknown.messages,
        "nothing found, nothing added"
    );
}

#[test]
fn equals_come_in_the_folders_order() {
    let folder = folder(&[("c.txt", b"lamp"), ("a.txt", b"lamp"), ("b/a.txt", b"lamp")]);
    let passages = open(folder.path(), 3).expect("passages");
    let sample = asking("lamp");
    let found: Vec<&str> =
        passages.found(&sample).expect("found").iter().map(|passage| passage.source.as_str()).collect();
    assert_eq!(found, ["a.txt", "c.txt", "b/a.txt"], "`b/a.txt` has a word more, its folder");
}

#[test]
fn examples_and_passages_go_together() {
    let folder = folder(HANDBOOK);
    let row = Sample {
        id: "r".into(),
        messages: vec![Message::new("user", "May a lamp be returned?")],
        reference: Some("Yes.".into()),
        ..Sample::default()
    };
    let settings = Settings { from: "train".into(), count: 1, choose: Choose::Seed, tag: None };
    let examples = Examples::open(&settings, vec![row], 1).expect("examples");
    let passages = open(folder.path(), 1).expect("passages");
    let (one, other) = (examples.digest().to_owned(), passages.digest().to_owned());
    let both = Prompting { examples: Some(examples), passages: Some(passages) };
    let turns = both.prompt(&asking("deadlines")).expect("a prompt").messages;
    let said: Vec<&str> = turns.iter().map(|turn| turn.content.as_str()).collect();
    assert_eq!(said[..3], ["Be brief.", "May a lamp be returned?", "Yes."]);
    assert!(said[3].starts_with("Use the passages") && said[3].ends_with("\n\ndeadlines"), "{}", said[3]);
    assert!(![one, other].contains(&both.digest()));
}

#[test]
fn the_digest_covers_texts_and_their_places_but_not_the_folders() {
    let digest = |files: &[(&str, &[u8])], top| open(folder(files).path(), top).expect("passages").digest().to_owned();
    let one = digest(&[("a.md", b"text")], 3);
    assert_eq!(one, digest(&[("a.md", b"text"), ("logo.png", b"")], 3), "what is not read shapes nothing");
    for other in [digest(&[("b.md", b"text")], 3), digest(&[("a.md", b"texts")], 3), digest(&[("a.md", b"text")], 2)] {
        assert_ne!(one, other);
    }
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    let refused = |files: &[(&str, &[u8])]| {
        let error = open(folder(files).path(), 1).expect_err("refused");
        assert!(error.hint_text().is_some(), "{error}");
        error.to_string()
    };
    assert!(refused(&[("a.md", b"ok\n\xff")]).contains("a.md: line 2 is not UTF-8"));
    assert!(refused(&[("a.txt", b"\xff\xfea\0")]).contains("a.txt: it is in UTF-16"));
    assert!(refused(&[("a.txt", b"a\nb\0")]).contains("a.txt: line 2 holds NUL bytes"));
    assert!(refused(&[("a.pdf", b"%PDF"), ("b.txt", b"\n")]).contains("`a.pdf`: it is neither text"));
    assert!(refused(&[]).contains("has no text to look passages up in: it is empty"));
    let missing = open(Path::new("/nowhere/at all"), 1).expect_err("refused");
    assert!(missing.to_string().contains("it does not exist"), "{missing}");
    let answered = Sample { messages: vec![Message::new("system", "s")], id: "7".into(), ..Sample::default() };
    let folder = folder(HANDBOOK);
    let error = open(folder.path(), 1).expect("passages").found(&answered).expect_err("no user turn");
    assert!(error.to_string().contains("sample `7` has no user turn"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_are_refused_by_name() {
    let folder = folder(&[("a.txt", b"text")]);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).expect("a link");
    let error = open(folder.path(), 1).expect_err("refused");
    assert!(error.to_string().contains("again: it is a link"), "{error}");
}
