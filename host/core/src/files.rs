//! Files that are written whole or not at all.

use crate::{Error, Result};
use std::io::Write;
use std::path::Path;

/// Replaces `path` by `bytes`: written beside it, synced, then renamed, so that a reader sees the old file or the new one.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// Like [`write()`], for content that is produced piece by piece.
pub fn write_with(path: &Path, fill: impl FnOnce(&mut std::fs::File) -> std::io::Result<()>) -> Result<()> {
    let fail = |source: std::io::Error| {
        let hint = match source.kind() {
            std::io::ErrorKind::StorageFull => "free some space; the previous file, if any, is untouched",
            _ => "check that the folder exists and can be written to; the previous file, if any, is untouched",
        };
        Error::run(format!("failed to write {}", path.display())).because(source).hint(hint)
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(fail)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    fill(file.as_file_mut()).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(fail)?;
    }
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

/// Reads a text file.
pub fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| {
        Error::data(format!("failed to read {}", path.display()))
            .because(source)
            .hint("check the path and that the file is UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.txt");
        write(&path, b"old").expect("first write");
        let failed = write_with(&path, |file| {
            file.write_all(b"half of the n")?;
            Err(std::io::Error::other("disk gone"))
        });
        assert!(failed.is_err_and(|error| error.to_string().contains("disk gone")));
        assert_eq!(std::fs::read(&path).expect("read"), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 1, "no temporary file is left");
    }
}
