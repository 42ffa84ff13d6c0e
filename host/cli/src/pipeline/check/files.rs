//! Files and folders that are named and do not exist.

use diapason_core::config::Config;
use diapason_core::schema::Problem;
use diapason_project::config::is_path;
use std::path::Path;

/// Everything that is not there.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut need = |pointer: String, path: &Path, hint: &str| {
        if !path.exists() {
            found.push(Problem::new(pointer, format!("{} does not exist", path.display()), hint));
        }
    };
    let model = "`model.path` names a safetensors folder or a GGUF file";
    need("/model/path".into(), &config.model.path, model);
    if let Some(adapter) = &config.model.adapter {
        let hint = "`model.adapter` names a folder with adapter_config.json and adapter_model.safetensors";
        need("/model/adapter".into(), &adapter.join("adapter_config.json"), hint);
    }
    let rows =
        "a dataset is a JSONL, JSON, Parquet, CSV or TSV file; a relative path starts from the configuration's folder";
    if let Some(data) = &config.data {
        need("/data/train".into(), &data.train, rows);
    }
    for (index, suite) in config.suites.iter().enumerate() {
        let key = if suite.task.is_some() { "task" } else { "data" };
        need(format!("/suite/{index}/{key}"), &suite.data, rows);
    }
    if let Some(template) = config.template.template.as_ref().filter(|name| is_path(name, "jinja")) {
        let hint = "`template.template` names a Jinja file or one of our templates";
        need("/template/template".into(), Path::new(template), hint);
    }
    let component = "a component is a file that ends in .wasm; a relative path starts from the configuration's folder";
    for (pointer, plugin) in plugins(config) {
        if is_path(plugin, "wasm") {
            need(pointer, Path::new(plugin), component);
        }
    }
    found
}

/// Every plugin with its place.
fn plugins(config: &Config) -> Vec<(String, &str)> {
    let mut all = vec![("/template/plugin".to_owned(), config.template.plugin.as_str())];
    for (index, entry) in config.validators.iter().enumerate() {
        all.push((format!("/validator/{index}/plugin"), &entry.plugin));
    }
    for (suite, config) in config.suites.iter().enumerate() {
        for (index, entry) in config.evaluators.iter().enumerate() {
            all.push((format!("/suite/{suite}/evaluator/{index}/plugin"), &entry.plugin));
        }
    }
    all
}
