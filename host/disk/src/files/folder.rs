//! A folder of files, written whole or not at all.

use diapason_core::{Error, Result};
use std::io;
use std::path::Path;

/// Makes the folder at `path` with what `fill` writes into it. It is filled beside its place and then renamed, so that
/// nobody finds half of it.
///
/// # Errors
/// Something other than an empty folder is at `path`, `fill` fails, or the folder above cannot be written to.
pub fn write(path: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let fail = |source| super::unwritable(path, source);
    check(path)?;
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(above).map_err(fail)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let staged = tempfile::Builder::new().prefix(&format!(".{name}.")).tempdir_in(above).map_err(fail)?;
    fill(staged.path())?;
    readable(staged.path()).map_err(fail)?;
    // What is in the way is empty, or was made meanwhile and is kept.
    if path.is_dir() {
        std::fs::remove_dir(path).map_err(fail)?;
    }
    std::fs::rename(staged.path(), path).map_err(fail)?;
    // There is nothing left to remove.
    let _ = staged.keep();
    Ok(())
}

fn check(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let empty = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if empty {
        return Ok(());
    }
    Err(Error::config(format!("{} exists already", path.display()))
        .hint("name a new or an empty folder, or remove this one; nothing was written"))
}

#[cfg(unix)]
fn readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn readable(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entries(path: &Path) -> Vec<String> {
        let names = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn a_folder_is_whole_or_not_there() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("deep/out");
        let fill = |folder: &Path| {
            super::super::write(&folder.join("a"), b"1")?;
            super::super::write(&folder.join("b/c"), b"2")
        };
        let half = |folder: &Path| fill(folder).and(Err(Error::run("no more")));
        assert_eq!(write(&path, half).unwrap_err().to_string(), "no more");
        assert_eq!(entries(&above.path().join("deep")), [""; 0]);
        write(&path, fill).unwrap();
        assert_eq!(std::fs::read(path.join("b/c")).unwrap(), b"2");
        assert_eq!(entries(&above.path().join("deep")), ["out"]);
    }

    #[test]
    fn what_is_there_is_kept() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("out");
        std::fs::create_dir(&path).unwrap();
        write(&path, |folder| super::super::write(&folder.join("a"), b"1")).unwrap();
        let error = write(&path, |_| Ok(())).unwrap_err();
        assert!(error.to_string().ends_with("out exists already"), "{error}");
        let file = path.join("a");
        assert!(write(&file, |_| Ok(())).is_err());
        assert_eq!(std::fs::read(file).unwrap(), b"1");
    }
}
