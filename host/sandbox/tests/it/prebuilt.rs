//! The components that are kept in the tree, each loaded once.

use crate::guest::{ENGINE, path};
use diapason_core::config::Limits;
use diapason_sandbox::{Capability, Plugin};

#[test]
fn every_first_party_plugin_loads() {
    let folder = path("../../../plugins/prebuilt");
    let Ok(entries) = std::fs::read_dir(&folder) else { return println!("skipped: no {}", folder.display()) };
    for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "wasm"))
    {
        let plugin = Plugin::load(&ENGINE, &path, &Limits::default()).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(plugin.id(), name);
        let kind = match name.split('-').next().unwrap() {
            "chat" => Capability::ChatTemplate,
            "validate" => Capability::Validator,
            _ if name == "eval-regression" => Capability::Comparator,
            _ => Capability::Evaluator,
        };
        assert!(plugin.capabilities().contains(&kind), "{name}: {:?}", plugin.capabilities());
    }
}
