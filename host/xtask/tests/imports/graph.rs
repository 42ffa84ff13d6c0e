//! Which rooms of a crate import each other, and where they do so in circles.

use crate::reader::{self, Path, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Two rooms that stand beside each other, and the places where the first names the second.
type Edges = BTreeMap<(Path, Path), BTreeSet<(String, usize)>>;

/// Rooms that import each other, directly or by way of others, with an import for each pair.
#[derive(Debug)]
pub(crate) struct Tangle {
    pub rooms: BTreeSet<Path>,
    pub imports: Vec<String>,
}

/// Returns the tangles of the crate whose sources lie in `folder`.
pub(crate) fn tangles(folder: &std::path::Path) -> Vec<Tangle> {
    let modules = modules(folder);
    let edges = edges(&modules);
    let reach = reach(&edges);
    let circular =
        |a: &Path, b: &Path| reach.contains(&(a.clone(), b.clone())) && reach.contains(&(b.clone(), a.clone()));
    let mut left: BTreeSet<&Path> = edges.keys().map(|(from, _)| from).filter(|room| circular(room, room)).collect();
    let mut found = Vec::new();
    while let Some(first) = left.first().copied() {
        let rooms: BTreeSet<Path> =
            left.iter().filter(|room| circular(first, room)).map(|room| (*room).clone()).collect();
        left.retain(|room| !rooms.contains(*room));
        let within = edges.iter().filter(|((from, to), _)| rooms.contains(from) && rooms.contains(to));
        let imports = within.map(|((from, to), places)| shown(from, to, places)).collect();
        found.push(Tangle { imports, rooms });
    }
    found
}

/// An import with the places where it stands, file by file.
fn shown(from: &Path, to: &Path, places: &BTreeSet<(String, usize)>) -> String {
    let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (file, line) in places {
        files.entry(file).or_default().push(line.to_string());
    }
    let files: Vec<String> = files.iter().map(|(file, lines)| format!("{file}:{}", lines.join(","))).collect();
    format!("{} -> {}: {}", from.join("::"), to.join("::"), files.join(" "))
}

/// All modules that have a file, with their files, but those of tests.
fn modules(folder: &std::path::Path) -> BTreeMap<Path, (String, Source)> {
    let mut found = BTreeMap::new();
    visit(folder, &mut Path::new(), &mut |module, file| {
        let text = fs::read_to_string(file).expect("a source file");
        let name = file.strip_prefix(folder).expect("a file of the folder").display().to_string();
        found.insert(module.to_vec(), (name, reader::read(module, &text)));
    });
    let of_tests: Vec<Path> = found
        .iter()
        .flat_map(|(module, (_, source))| source.test_modules.iter().map(|name| child(module, name)))
        .collect();
    found.retain(|module, _| !of_tests.iter().any(|tests| module.starts_with(tests)));
    found
}

fn child(module: &[String], name: &str) -> Path {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// Calls `body` with every module below `folder`, which is `module`'s, and its file.
fn visit(folder: &std::path::Path, module: &mut Path, body: &mut impl FnMut(&[String], &std::path::Path)) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
        let is_own = matches!(name.as_str(), "lib" | "main" | "mod");
        if path.is_dir() {
            module.push(name);
            visit(&path, module, body);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let named = if is_own { module.clone() } else { child(module, &name) };
            body(&named, &path);
        }
    }
}

fn edges(modules: &BTreeMap<Path, (String, Source)>) -> Edges {
    let mut edges = Edges::new();
    for (module, (file, source)) in modules {
        for (line, path) in &source.named {
            let target = resolve(modules, path, 0);
            let shared = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
            // A child may use what its parent defines, and a parent its children.
            if shared < module.len() && shared < target.len() {
                let rooms = (module[..=shared].to_vec(), target[..=shared].to_vec());
                edges.entry(rooms).or_default().insert((file.clone(), *line));
            }
        }
    }
    edges
}

/// The module that `path` leads to, by way of what modules make their own with `pub use`.
fn resolve(modules: &BTreeMap<Path, (String, Source)>, path: &[String], hops: usize) -> Path {
    let known = |n: &usize| modules.contains_key(&path[..*n]);
    let n = (0..=path.len()).rev().find(known).unwrap_or_default();
    let export = path.get(n).and_then(|name| modules.get(&path[..n])?.1.exports.get(name));
    match export {
        // Names may lead in circles; four hops are more than any of ours take.
        Some(export) if hops < 4 => resolve(modules, &[export, &path[n + 1..]].concat(), hops + 1),
        _ => path[..n].to_vec(),
    }
}

/// All pairs of rooms of which the first leads to the second.
fn reach(edges: &Edges) -> BTreeSet<(Path, Path)> {
    let mut found = BTreeSet::new();
    for start in edges.keys().map(|(from, _)| from).collect::<BTreeSet<_>>() {
        let mut open = vec![start];
        while let Some(room) = open.pop() {
            for (_, to) in edges.keys().filter(|(from, _)| from == room) {
                if found.insert((start.clone(), to.clone())) {
                    open.push(to);
                }
            }
        }
    }
    found
}
