//! A small finished project, and what is done to it.

use diapason_core::frozen::{File, Role};
use diapason_disk::files;
use diapason_project::manifest::Manifest;
use std::path::Path;
use std::process::{Command, Output};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/golden/llama-tied");
const PLUGIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/prebuilt/eval-accuracy.wasm");
const TEMPLATE: &str = "{% for message in messages %}{{ message.content }}{% if message.role == 'assistant' %}</s>{% else %}=\
                        {% endif %}{% endfor %}";
pub(super) const CONFIG: &str = r##"validator = [{ plugin = "validate-shape" }]
[model]
path = "base"
device = "cpu"
[data]
train = "train.jsonl"
[template]
template = "./t.jinja"
[train]
learning_rate = 2e-2
epochs = 12
rank = 8
dropout = 0
batch_size = 8
gradient_accumulation = 1
target_modules = ["q_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
max_sequence_length = 64
[generate]
max_tokens = 4
temperature = 0.0
stop = ["#"]
[gate]
resamples = 200
[run]
folder = "run"
seed = 42
[[suite]]
name = "ok"
data = "test.jsonl"
limit = 24
evaluator = [
  { plugin = "./own.wasm", name = "own", settings = { metrics = ["exact-match"] } },
  { plugin = "eval-format", settings = { pattern = "ok" } },
  { plugin = "eval-regression" },
]
[[rule]]
suite = "ok"
measure = "own.exact-match"
gain = 0.1
"##;

pub(super) fn project(folder: &Path) {
    let rows = |from: usize, to: usize| -> String {
        (from..to).map(|n| format!("{{\"prompt\": \"q{n}\", \"completion\": \"ok\"}}\n")).collect()
    };
    copy(Path::new(MODEL), &folder.join("base"));
    std::fs::copy(PLUGIN, folder.join("own.wasm")).expect("plugin");
    let texts = [("diapason.toml", CONFIG.into()), ("t.jinja", TEMPLATE.into())];
    let data = [("train.jsonl", rows(0, 64)), ("test.jsonl", rows(100, 130))];
    for (name, text) in texts.into_iter().chain(data) {
        std::fs::write(folder.join(name), text).expect("file");
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("folder") {
        let path = entry.expect("entry").path();
        let target = to.join(path.file_name().expect("name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("file");
        }
    }
}

pub(super) fn diapason(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_diapason")).args(arguments).current_dir(folder).output().expect("runs")
}

pub(super) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Replaces one text in a file by another, which must be there.
pub(crate) fn edit(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).expect("text");
    assert!(text.contains(from), "{} does not contain {from}", path.display());
    std::fs::write(path, text.replacen(from, to, 1)).expect("written");
}

/// Changes a bit near the end of a file: of a number, where it is one of weights.
pub(crate) fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).expect("file");
    let place = bytes.len() - 2;
    bytes[place] ^= 1;
    std::fs::write(path, bytes).expect("written");
}

/// Makes the manifest say that `artefact` was so from the start: every digest of it, and the seal.
pub(super) fn forge(folder: &Path, artefact: &str) {
    let run = folder.join("run");
    let sha256 = files::digest(&run.join(artefact)).expect("digest");
    let mut manifest = Manifest::read(&run).expect("manifest");
    for stage in manifest.stages.values_mut() {
        stage.outputs.iter_mut().filter(|(path, _)| *path == artefact).for_each(|(_, known)| known.clone_from(&sha256));
    }
    for frozen in manifest.frozen.values_mut() {
        if let Some(file) = frozen.files.get_mut(&Role::Artefact(artefact.into())) {
            *file = File::new(&sha256);
        }
    }
    manifest.save(&run).expect("saved");
}

/// A finished project: `run`, and `other`, which a run with another seed left that was hardly trained.
pub(super) fn finished(folder: &Path) {
    project(folder);
    edit(&folder.join("diapason.toml"), "seed = 42", "seed = 7");
    edit(&folder.join("diapason.toml"), "learning_rate = 2e-2", "learning_rate = 1e-5");
    let other = diapason(folder, &["run"]);
    assert!(matches!(other.status.code(), Some(1 | 3)), "{}", said(&other));
    std::fs::rename(folder.join("run"), folder.join("other")).expect("moved");
    edit(&folder.join("diapason.toml"), "seed = 7", "seed = 42");
    edit(&folder.join("diapason.toml"), "learning_rate = 1e-5", "learning_rate = 2e-2");
    let run = diapason(folder, &["run"]);
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
}
