//! No room of a crate imports, directly or by way of others, a room that imports it; nor do files beside each other.
//!
//! Rooms are a crate's top-level modules. A child may use what its parent defines, and a parent declares and uses its
//! children. Modules that only tests have do not count. The sources are read, not compiled: this takes a second.
#![allow(missing_docs)]

mod graph;
mod reader;

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn no_rooms_import_each_other_in_circles() {
    let mut wrong = String::new();
    for krate in crates() {
        for tangle in graph::tangles(&krate.join("src")) {
            wrong += &format!("\n{} imports in a circle:\n  {}\n", krate.display(), tangle.imports.join("\n  "));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Folders of crates that stand in the workspace.
fn crates() -> Vec<PathBuf> {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = fs::read_dir(host).expect("the folder of crates").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<PathBuf> = folders.filter(|folder| folder.join("src").is_dir()).collect();
    found.sort();
    assert!(found.len() > 3, "crates are looked for in the wrong place");
    found
}

/// A crate of these files, each with its text, and the rooms that hang together in it.
fn tangled(files: &[(&str, &str)]) -> Vec<String> {
    let folder = std::env::temp_dir().join(format!("imports-{}-{:?}", std::process::id(), std::thread::current().id()));
    let _ = fs::remove_dir_all(&folder);
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let found = graph::tangles(&folder);
    fs::remove_dir_all(&folder).expect("the folder goes");
    found.into_iter().flat_map(|tangle| tangle.rooms).map(|room| room.join("::")).collect()
}

#[test]
fn circles_are_found_however_they_are_written() {
    let root = ("lib.rs", "mod a;\nmod b;\npub use a::A;");
    for (a, b) in [
        ("use crate::b::B;", "use crate::a::A;"),
        ("use super::b::{self, B};", "fn f(a: crate::a::A) {}"),
        ("use crate::{b::B, c};", "fn f() -> super::a::A {}"),
        ("use crate::b as other; fn f() -> other::B {}", "use crate::A;"),
        ("fn f() -> impl I + use<> { [0; 2]; crate::b::B }", "use crate::a::A;"),
        ("mod inner { use super::super::b::B; }", "macro_rules! m { () => { $crate::a::A } }"),
    ] {
        assert_eq!(tangled(&[root, ("a.rs", a), ("b.rs", b)]), ["a", "b"], "{a} {b}");
    }
    let long = [("a.rs", "use crate::b::B;"), ("b.rs", "use crate::c::C;"), ("c/mod.rs", "use crate::a::A;")];
    assert_eq!(tangled(&[&[root], long.as_slice()].concat()), ["a", "b", "c"]);
    let siblings =
        [("a/mod.rs", "mod x;\nmod y;\npub use y::Y;"), ("a/x.rs", "use super::Y;"), ("a/y.rs", "use super::x;")];
    assert_eq!(tangled(&[&[root], siblings.as_slice()].concat()), ["a::x", "a::y"]);
}

#[test]
fn what_is_no_circle_is_none() {
    let root = ("lib.rs", "mod a;\nmod b;");
    for (a, b) in [
        ("use crate::b::B;", "#[cfg(test)]\nmod tests { use crate::a::A; }"),
        ("use crate::b::B;", "#[cfg(test)]\nuse crate::a::{A};\n#[cfg(all(test, unix))]\nfn f() { crate::a::A; }"),
        ("use crate::b::B;", "// use crate::a::A;\n/* crate::a /* crate::a */ */ const S: &str = \"crate::a::A\";"),
        ("use crate::b::B;", "const S: &str = r#\"\"crate::a::A\"#; const C: char = '\"'; use other::a::A;"),
        ("use crate::b::B; mod x;", "use super::super::nothing;"),
        ("use crate::b::B;", "fn f<'a>(x: &'a X) -> impl I + use<'a> { let y = [0; 2]; y }"),
    ] {
        assert_eq!(tangled(&[root, ("a.rs", a), ("b.rs", b)]), [""; 0], "{a} {b}");
    }
    // A parent and its children, and a module of tests in a file of its own.
    let family = [
        ("a/mod.rs", "mod x;\n#[cfg(test)]\nmod y;\nuse x::X;"),
        ("a/x.rs", "use super::A;"),
        ("a/y.rs", "use super::x;"),
    ];
    assert_eq!(tangled(&[&[root], family.as_slice()].concat()), [""; 0]);
}
