//! The keys of a task that are not read: those that change nothing here, and those that are refused.

use super::node::{Keys, wrong};
use super::value::{Node, Yaml, refuse as refusal};
use diapason_core::Result;

/// Keys that would change what is asked or how it is scored, and what to do instead.
const REFUSED: [(&str, &str); 20] = [
    ("include", "write out the task with the keys of the file that it includes"),
    ("group", "a suite is one task: write a suite for each of the group's"),
    ("group_alias", "a suite is one task: write a suite for each of the group's"),
    ("aggregate_metric_list", "a suite is one task: write a suite for each of the group's"),
    ("class", "tasks in Python are not run: write what it does as templates"),
    ("dataset_name", "name the files under `dataset_kwargs`, `data_files`"),
    ("custom_dataset", "write its rows to a JSONL file"),
    ("process_docs", "prepare the data with it beforehand"),
    ("process_results", "use metrics and filters that are known here, or an evaluator of your own"),
    ("use_prompt", "write the prompt as `doc_to_text`"),
    ("gen_prefix", "write it at the end of `doc_to_text`"),
    ("doc_to_image", "models here read text only"),
    ("doc_to_audio", "models here read text only"),
    ("download_mode", "the data are local files"),
    ("model_specific_kwargs", "the model is configured under `model`"),
    ("model_specific_prompt_kwargs", "the model is configured under `model`"),
    ("lmms_eval_specific_kwargs", "models here read text only"),
    ("weight_by_size", "a suite is one task"),
    ("generate_until", "write the settings under `generation_kwargs`"),
    ("task_list", "a suite is one task: write a suite for each of them"),
];

/// Refuses keys that are known and not supported.
pub(super) fn refuse(keys: &mut Keys) -> Result<()> {
    keys.refuse(&REFUSED)
}

/// Takes the keys that name or describe the task, and those that are about something else.
///
/// # Errors
/// One of them asks for decontamination, or a task is a list of tasks.
pub(super) fn pass_over(keys: &mut Keys) -> Result<()> {
    for key in ["task_alias", "tag", "metadata", "unsafe_code", "doc_to_decontamination_query"] {
        keys.take(key);
    }
    if let Some(Node { value: Yaml::List(_), line }) = keys.take("task") {
        return Err(refusal(line, "`task` is a list of tasks", "a suite is one task: write a suite for each of them"));
    }
    match keys.take("should_decontaminate") {
        None | Some(Node { value: Yaml::Bool(false), .. }) => Ok(()),
        Some(Node { value: Yaml::Bool(true), line }) => {
            let hint = "leave it out; `validate-leakage` finds rows that training has seen";
            Err(refusal(line, "`should_decontaminate` is not supported", hint))
        }
        Some(other) => Err(wrong(&other, "should_decontaminate", "true or false")),
    }
}
