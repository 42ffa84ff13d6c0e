use super::*;

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    write(&path, b"old").unwrap();
    let failed = write_with(&path, |file| {
        file.write_all(b"half of the n")?;
        Err(io::Error::other("disk gone"))
    });
    assert!(failed.is_err_and(|error| error.to_string().contains("disk gone")));
    drop(stage(&path, |file| file.write_all(b"never committed")).unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn texts_that_are_no_utf8_are_refused_with_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    for (bytes, cause) in [
        (&b"\xff\xfea\0"[..], "it is in UTF-16"),
        (b"\xfe\xff\0a", "it is in UTF-16"),
        (b"one\ntwo\nthr\xffee\n", "line 3 is not UTF-8"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = read_text(&path).unwrap_err();
        assert!(error.to_string().contains(cause) && error.hint_text().is_some(), "{error}");
    }
}

#[test]
fn what_is_larger_than_the_limit_is_refused_before_memory_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sparse");
    File::create(&path).unwrap().set_len(LARGEST_TEXT + 1).unwrap();
    let error = read_text(&path).unwrap_err();
    assert!(error.to_string().contains("it has 4294967297 bytes, at most 4294967296 are read"), "{error}");
    assert!(contents(&path, 10).is_err());
}
