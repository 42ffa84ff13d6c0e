//! Compiled components, kept in a folder so that the second run starts at once.
//!
//! A compiled component is machine code that runs outside the sandbox, so `deserialize` is `unsafe`: whoever can plant a
//! file here can run code as the user. What we rely on:
//!
//! - **Others on the machine** cannot write here. The folder must belong to the user and have mode 0700, and each file must
//!   belong to the user and be writable by nobody else; both are checked at every read. Otherwise nothing is loaded and
//!   components are compiled anew.
//! - **Accidents** (a torn write, a bad disk, a file copied from another key) are found by a SHA-256 digest of the
//!   serialised bytes, kept with the key in the file's first line. The bytes that were checked are the bytes that are
//!   loaded: the file is not read again. A file of another wasmtime, other settings or another processor has another key.
//! - **The user's own account** is not defended against: who can write here as the user can replace the binary as well. A
//!   secret key beside the files would be readable by the same account and prove nothing more.

use diapason_core::digest;
use diapason_disk::files;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use wasmtime::Engine;
use wasmtime::component::Component;

/// A folder of compiled components.
pub(super) struct Cache {
    folder: PathBuf,
    /// What the compiled code depends on beside the component: wasmtime's version, settings, processor.
    compatibility: u64,
    guard: guard::Guard,
}

impl Cache {
    /// Creates the folder if it is missing. The error says why the folder cannot be trusted.
    pub(super) fn open(folder: PathBuf, engine: &Engine) -> Result<Self, String> {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let guard = guard::Guard::new(&folder)?;
        Ok(Self { folder, compatibility: hasher.finish(), guard })
    }

    /// Names the result of compiling `bytes` with this engine.
    pub(super) fn key(&self, bytes: &[u8]) -> String {
        format!("{}-{:016x}", digest::of_bytes(bytes), self.compatibility)
    }

    /// The component stored under `key`, unless there is none or anything about it is suspicious.
    pub(super) fn load(&self, engine: &Engine, key: &str) -> Option<Component> {
        self.guard.check_folder(&self.folder).ok()?;
        let content = self.guard.read(&self.path(key)).ok()?;
        let serialised = content.strip_prefix(header(key, &digest_of(&content)?).as_bytes())?;
        // SAFETY: the folder and the file belong to this user and nobody else can write to them, and the digest and the
        // key in the header show that these bytes are what `store` got from `Component::serialize` of this engine's
        // configuration (see the head of this file for who is not defended against).
        unsafe { Component::deserialize(engine, serialised) }.ok()
    }

    /// Stores a component. Failing to is no error: the next run compiles again.
    pub(super) fn store(&self, key: &str, component: &Component) {
        let Ok(serialised) = component.serialize() else { return };
        if self.guard.check_folder(&self.folder).is_ok() {
            let content = [header(key, &digest::of_bytes(&serialised)).as_bytes(), &serialised].concat();
            let _ = files::write(&self.path(key), &content);
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.compiled"))
    }
}

fn header(key: &str, digest: &str) -> String {
    format!("diapason compiled component 1 {key} {digest}\n")
}

/// The digest of what follows the first line.
fn digest_of(content: &[u8]) -> Option<String> {
    let end = content.iter().position(|&byte| byte == b'\n')?;
    Some(digest::of_bytes(&content[end + 1..]))
}

#[cfg(unix)]
mod guard {
    use std::io::{self, Read};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    use std::path::Path;

    /// Knows who the user is.
    pub(super) struct Guard {
        user: u32,
    }

    impl Guard {
        pub(super) fn new(folder: &Path) -> Result<Self, String> {
            let fail = |source: io::Error| format!("failed to prepare {}: {source}", folder.display());
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fail)?;
            // The owner of a file that we make is who we are.
            let probe = tempfile::tempfile_in(folder).map_err(fail)?;
            let guard = Self { user: probe.metadata().map_err(fail)?.uid() };
            guard.check_folder(folder)?;
            Ok(guard)
        }

        /// The folder is no link, belongs to the user, and nobody else has any right to it.
        pub(super) fn check_folder(&self, folder: &Path) -> Result<(), String> {
            let name = folder.display();
            let metadata = folder.symlink_metadata().map_err(|source| format!("failed to look at {name}: {source}"))?;
            let mode = metadata.mode() & 0o7777;
            match () {
                () if !metadata.is_dir() => Err(format!("{name} is not a folder")),
                () if metadata.uid() != self.user => Err(format!("{name} belongs to another user")),
                () if mode != 0o700 => Err(format!("{name} has mode {mode:04o}, expected 0700")),
                () => Ok(()),
            }
        }

        /// The content of a file that only the user can have written.
        pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
            let mut file = std::fs::File::open(path)?;
            let metadata = file.metadata()?;
            if !metadata.is_file() || metadata.uid() != self.user || metadata.mode() & 0o022 != 0 {
                return Err(io::Error::other("writable by others"));
            }
            let mut content = Vec::with_capacity(metadata.len() as usize);
            file.read_to_end(&mut content)?;
            Ok(content)
        }
    }
}

/// Elsewhere we do not know how to tell who may write to a folder.
#[cfg(not(unix))]
mod guard {
    use std::io;
    use std::path::Path;

    pub(super) struct Guard;

    impl Guard {
        pub(super) fn new(_: &Path) -> Result<Self, String> {
            Err("ownership of folders cannot be checked on this system".into())
        }

        pub(super) fn check_folder(&self, _: &Path) -> Result<(), String> {
            Err("ownership of folders cannot be checked on this system".into())
        }

        pub(super) fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
            Err(io::Error::other("ownership of files cannot be checked on this system"))
        }
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    struct Fixture {
        _temporary: tempfile::TempDir,
        folder: PathBuf,
        engine: Engine,
        bytes: Vec<u8>,
    }

    fn fixture() -> Fixture {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("cache");
        let bytes = wat::parse_str("(component (core module (func (result i32) i32.const 7)))").unwrap();
        Fixture { _temporary: temporary, folder, engine: Engine::default(), bytes }
    }

    fn filled(fixture: &Fixture) -> (Cache, String, PathBuf) {
        let cache = Cache::open(fixture.folder.clone(), &fixture.engine).unwrap();
        let key = cache.key(&fixture.bytes);
        cache.store(&key, &Component::from_binary(&fixture.engine, &fixture.bytes).unwrap());
        let path = cache.path(&key);
        (cache, key, path)
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn gives_back_what_was_stored() {
        let fixture = fixture();
        let (cache, key, _) = filled(&fixture);
        assert!(cache.load(&fixture.engine, &key).is_some());
        assert!(cache.load(&fixture.engine, &cache.key(b"another")).is_none());
        assert_eq!(std::fs::read_dir(&fixture.folder).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_changed_file_is_not_loaded() {
        let fixture = fixture();
        let (cache, key, path) = filled(&fixture);
        let content = std::fs::read(&path).unwrap();
        for at in [0, 40, content.len() / 2, content.len() - 1] {
            let mut changed = content.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert!(cache.load(&fixture.engine, &key).is_none(), "byte {at}");
        }
        std::fs::write(&path, &content[..content.len() - 9]).unwrap();
        assert!(cache.load(&fixture.engine, &key).is_none(), "truncated");
        std::fs::write(&path, &content).unwrap();
        assert!(cache.load(&fixture.engine, &key).is_some(), "restored");
    }

    #[test]
    fn a_file_under_another_key_is_not_loaded() {
        let fixture = fixture();
        let (cache, _, path) = filled(&fixture);
        let other = cache.key(b"another");
        std::fs::copy(path, cache.path(&other)).unwrap();
        assert!(cache.load(&fixture.engine, &other).is_none());
    }

    #[test]
    fn a_folder_or_file_that_others_can_write_to_is_not_used() {
        let fixture = fixture();
        let (cache, key, path) = filled(&fixture);
        set_mode(&path, 0o666);
        assert!(cache.load(&fixture.engine, &key).is_none(), "file");
        set_mode(&path, 0o644);
        set_mode(&fixture.folder, 0o770);
        assert!(cache.load(&fixture.engine, &key).is_none(), "folder");
        let refusal = Cache::open(fixture.folder.clone(), &fixture.engine).err().unwrap();
        assert!(refusal.ends_with("has mode 0770, expected 0700"), "{refusal}");
        set_mode(&fixture.folder, 0o700);
        assert!(cache.load(&fixture.engine, &key).is_some());
    }

    #[test]
    fn a_link_to_a_folder_is_not_used() {
        let fixture = fixture();
        let (_cache, ..) = filled(&fixture);
        let link = fixture.folder.with_file_name("link");
        std::os::unix::fs::symlink(&fixture.folder, &link).unwrap();
        let refusal = Cache::open(link, &fixture.engine).err().unwrap();
        assert!(refusal.ends_with("is not a folder"), "{refusal}");
    }
}
