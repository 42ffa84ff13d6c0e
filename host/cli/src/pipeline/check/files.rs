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
    let a_model = "a model is a safetensors folder or a GGUF file";
    let an_adapter = "an adapter is a folder with adapter_config.json and adapter_model.safetensors";
    if let Some(model) = &config.model {
        need("/model/path".into(), &model.path, a_model);
        let adapter = model.adapter.iter().map(|adapter| adapter.join("adapter_config.json"));
        adapter.for_each(|file| need("/model/adapter".into(), &file, an_adapter));
    }
    for (index, arm) in config.arms.iter().enumerate() {
        let at = |key: &str| format!("/arm/{index}/{key}");
        arm.model.iter().for_each(|path| need(at("model"), path, a_model));
        let template = arm.template.as_ref().filter(|name| is_path(name, "jinja"));
        template.iter().for_each(|path| need(at("template"), Path::new(path), "a Jinja file, or one of our templates"));
        let adapter = arm.adapter.iter().map(|adapter| adapter.join("adapter_config.json"));
        adapter.for_each(|file| need(at("adapter"), &file, an_adapter));
        arm.outputs.iter().for_each(|path| need(at("outputs"), path, "`outputs` names a file of answers"));
        let examples = arm.examples.iter().filter(|examples| !examples.from_training());
        examples.for_each(|examples| need(at("examples/from"), &examples.from, "`train`, or a file of rows"));
        let folder = "`retrieve.folder` names a folder of text and Markdown files";
        arm.retrieve.iter().for_each(|retrieve| need(at("retrieve/folder"), &retrieve.folder, folder));
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
