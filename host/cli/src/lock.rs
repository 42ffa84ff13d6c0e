//! One process for one folder: a lock that dies with its holder, whatever kills it.

use diapason_core::{Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// The lock's file in a run folder. It holds the process id of who works there.
const FILE: &str = ".lock";

/// A locked folder or file, until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    file: File,
    /// Whether this process may write, so that the file is its own to remove.
    writes: bool,
}

impl Lock {
    /// Locks `folder` for writing, and makes it where there is none.
    ///
    /// Errors if another process works there or the file system cannot lock.
    pub(crate) fn write(folder: &Path) -> Result<Self> {
        folder_or_nothing(folder)?;
        std::fs::create_dir_all(folder).map_err(|source| {
            Error::run(format!("failed to create {}", folder.display()))
                .because(source)
                .hint("check that the folder above it exists and can be written to")
        })?;
        Self::take(folder.join(FILE), folder)
    }

    /// Locks `folder` for a verb that only reads it; `None` where there is nothing to lock: no folder, or one that nobody
    /// can write to from here.
    ///
    /// Errors if another process works there or the file system cannot lock.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        folder_or_nothing(folder)?;
        if !folder.is_dir() {
            return Ok(None);
        }
        let path = folder.join(FILE);
        if may_create(&path) {
            return Self::take(path, folder).map(Some);
        }
        let Ok(file) = File::open(&path) else { return Ok(None) };
        settle(file.try_lock_shared(), &path, folder)?;
        Ok(Some(Self { path, file, writes: false }))
    }

    /// Locks a file or folder that is going to be written, by a file beside it.
    ///
    /// Errors if another process writes it or the file system cannot lock.
    pub(crate) fn beside(target: &Path) -> Result<Self> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(|source| {
            Error::run(format!("failed to create {}", parent.display()))
                .because(source)
                .hint("name a path that can be written to with `--out`")
        })?;
        Self::take(parent.join(format!(".{name}{FILE}")), target)
    }

    fn take(path: PathBuf, place: &Path) -> Result<Self> {
        if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
            return Err(Error::run(format!("{} is not a plain file", path.display()))
                .hint("the lock is written into it: remove what is in its place"));
        }
        loop {
            let mut file = options().open(&path).map_err(|source| unlockable(&path, place, source))?;
            settle(file.try_lock(), &path, place)?;
            // The holder before removes the file as it ends: a lock on a file that is gone keeps nobody out.
            if !same(&file, &path) {
                continue;
            }
            let id = std::process::id();
            let noted = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{id}"));
            noted.map_err(|source| unlockable(&path, place, source))?;
            return Ok(Self { path, file, writes: true });
        }
    }
}

/// Refuses a run folder that is a file or a device.
fn folder_or_nothing(folder: &Path) -> Result<()> {
    if folder.exists() && !folder.is_dir() {
        return Err(Error::run(format!("failed to open the run folder {}", folder.display()))
            .because("it is not a folder")
            .hint("name another `run.folder`, which is created if it does not exist, or remove what is in its place"));
    }
    Ok(())
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while it is held, so that nobody takes it in between. A file that stays does no harm: the lock is not
        // its existence.
        if self.writes && REMOVES {
            let _ = std::fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

/// Whether an open file can be told from another one under its old name, so that a lock's file can be removed.
#[cfg(unix)]
const REMOVES: bool = true;
#[cfg(not(unix))]
const REMOVES: bool = false;

/// Whether `file` is still the one at `path`.
#[cfg(unix)]
fn same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |found: std::fs::Metadata| (found.dev(), found.ino());
    let here = file.metadata().map(place).ok();
    here.is_some() && here == path.metadata().map(place).ok()
}

#[cfg(not(unix))]
fn same(_: &File, _: &Path) -> bool {
    true
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options
}

fn may_create(path: &Path) -> bool {
    let refused = [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem];
    !options().open(path).is_err_and(|error| refused.contains(&error.kind()))
}

fn settle(locked: std::result::Result<(), TryLockError>, path: &Path, place: &Path) -> Result<()> {
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(held(path, place)),
        Err(TryLockError::Error(source)) => Err(unlockable(path, place, source)),
    }
}

fn held(path: &Path, place: &Path) -> Error {
    let mut noted = String::new();
    let read = File::open(path).and_then(|mut file| file.read_to_string(&mut noted));
    let holder = read.ok().and_then(|_| noted.trim().parse::<u32>().ok());
    let holder = holder.map_or(String::new(), |id| format!(" (pid {id})"));
    Error::run(format!("another diapason process{holder} is working in {}", place.display()))
        .hint("wait until it ends, or give this run another folder")
}

fn unlockable(path: &Path, place: &Path, source: std::io::Error) -> Error {
    let hint = match source.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "choose a folder that can be written to",
        ErrorKind::StorageFull => "free some space",
        _ => {
            "choose a folder on a local disk: some network file systems cannot lock, and two processes in one folder would spoil it"
        }
    };
    Error::run(format!("failed to lock {} with {}", place.display(), path.display())).because(source).hint(hint)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_refused_with_the_process_until_the_first_ends() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("runs/one");
        let first = Lock::write(&run).unwrap();
        let error = Lock::write(&run).unwrap_err();
        let pid = std::process::id();
        assert!(error.to_string().contains(&format!("another diapason process (pid {pid}) is working in ")), "{error}");
        assert!(Lock::read(&run).is_err(), "a reader would see a half state");
        drop(first);
        assert_eq!(std::fs::read_dir(&run).unwrap().count(), 0, "nothing is left behind");
        Lock::write(&run).unwrap();
    }

    #[test]
    fn a_file_that_a_killed_process_left_locks_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "1").unwrap();
        Lock::write(folder.path()).unwrap();
    }

    #[test]
    fn reading_makes_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Lock::read(&folder.path().join("none")).unwrap().is_none());
        assert!(!folder.path().join("none").exists());
    }

    /// Takers that come and go: never two at once, though the file is removed each time.
    #[test]
    fn never_two_at_once() {
        use std::sync::atomic::{AtomicU32, Ordering};
        let folder = tempfile::tempdir().unwrap();
        let (inside, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        let Ok(lock) = Lock::write(folder.path()) else { continue };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two hold the lock");
                        taken.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert!(taken.load(Ordering::SeqCst) > 4);
    }

    #[test]
    fn a_target_is_locked_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("merged");
        let lock = Lock::beside(&target).unwrap();
        assert!(Lock::beside(&target).is_err() && Lock::beside(&folder.path().join("other")).is_ok());
        drop(lock);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
