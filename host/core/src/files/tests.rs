use super::*;
use crate::Class;

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

/// A named pipe without a writer: opening it would wait for ever.
#[cfg(unix)]
fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn only_files_are_read_and_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    pipe(&at("pipe"));
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    std::fs::write(at("file"), "text").unwrap();
    for name in ["pipe", "socket", "folder", "file"] {
        std::os::unix::fs::symlink(at(name), at(&format!("link-{name}"))).unwrap();
    }
    let odd = ["pipe", "socket", "folder", "link-pipe", "link-socket", "link-folder"].map(at);
    for path in odd.into_iter().chain(["/dev/null", "/dev/full", "/dev/zero"].map(PathBuf::from)) {
        let before = std::fs::symlink_metadata(&path).unwrap().file_type();
        for error in [read_text(&path).unwrap_err(), crate::digest::of_file(&path).unwrap_err()] {
            assert!(error.class() == Class::Data && error.to_string().contains("not a file"), "{error}");
        }
        let error = write(&path, b"x").unwrap_err();
        assert!(error.class() == Class::Run && error.to_string().contains("not a file"), "{error}");
        assert_eq!(std::fs::symlink_metadata(&path).unwrap().file_type(), before, "{} was replaced", path.display());
    }
    write(&at("link-file"), b"through the link").unwrap();
    assert_eq!(read_text(&at("file")).unwrap(), "through the link");
    assert!(std::fs::symlink_metadata(at("link-file")).unwrap().is_symlink());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 8, "no temporary file is left");
}
