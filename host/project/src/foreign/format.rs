//! Which form a file has: told by the keys of what it holds, refused where none or several fit.

use super::answer::Format;
use super::json::{Problem, listed};

/// A form, and how its file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) format: Format,
    /// Whether the file is one document; else every line is an answer.
    pub(super) is_document: bool,
}

/// Keys that an object of a form has, and those that it has not.
struct Sign {
    form: Form,
    keys: &'static [&'static str],
    others: &'static [&'static str],
}

const fn sign(
    format: Format,
    is_document: bool,
    keys: &'static [&'static str],
    others: &'static [&'static str],
) -> Sign {
    Sign { form: Form { format, is_document }, keys, others }
}

const SIGNS: [Sign; 9] = [
    sign(Format::Outputs, false, &["suite", "sample", "prompt", "completions"], &[]),
    sign(Format::Rows, false, &["id", "output"], &[]),
    sign(Format::Rows, false, &["id", "error"], &["output", "custom_id", "testIdx"]),
    sign(Format::Harness, false, &["doc_id", "arguments", "resps"], &[]),
    sign(Format::OpenAiBatch, false, &["custom_id", "response"], &[]),
    sign(Format::EveryEvalEver, false, &["schema_version", "evaluation_id", "sample_id", "interaction_type"], &[]),
    sign(Format::Promptfoo, false, &["promptIdx", "testIdx", "vars", "provider"], &[]),
    sign(Format::Promptfoo, true, &["results", "config"], &["configs"]),
    sign(Format::Inspect, true, &["version", "status", "eval"], &[]),
];

/// Keys of what holds no answers, or not under the names that are read, with what to do.
const STRANGERS: [(&[&str], &str); 9] = [
    (&["custom_id", "body"], "these are the requests of a batch; name its output file"),
    (
        &["results", "configs"],
        "these are the harness's scores; name its `samples_*.jsonl`, written with `--log_samples`",
    ),
    (&["evaluation_results"], "these are Every Eval Ever's scores; name the `*_samples.jsonl` beside them"),
    (&["messages"], "these are rows of a dataset; answers are {\"id\": …, \"output\": …}"),
    (&["id", "answer"], "call the column of answers `output`"),
    (&["id", "completion"], "call the column of answers `output`"),
    (&["id", "response"], "call the column of answers `output`"),
    (&["id"], "a row has `id` and `output`; an empty answer is \"\" in JSON, and one that failed says why in `error`"),
    (&["output"], "name the sample of each answer by its `id`"),
];

/// The form of a file whose first object has these keys.
pub(super) fn of(keys: &[String]) -> Result<Form, Problem> {
    let has = |key: &&str| keys.iter().any(|known| known == key);
    let fitting: Vec<&Sign> =
        SIGNS.iter().filter(|sign| sign.keys.iter().all(&has) && !sign.others.iter().any(&has)).collect();
    match fitting.as_slice() {
        [only] => Ok(only.form),
        [] => Err(unknown(keys, STRANGERS.iter().find(|(keys, _)| keys.iter().all(&has)).map(|(_, hint)| *hint))),
        several => {
            let names = listed(several.iter().map(|sign| sign.form.format.to_string()));
            Err(Problem::new(format!("it could be any of {names}"), "remove the columns of the other form"))
        }
    }
}

fn unknown(keys: &[String], hint: Option<&str>) -> Problem {
    let keys = if keys.is_empty() { "it has no keys".into() } else { format!("its keys are {}", keys.join(", ")) };
    Problem::new(format!("the form of its answers is not known: {keys}"), hint.map_or_else(readable, String::from))
}

/// The forms that are read.
fn readable() -> String {
    let names: Vec<String> = Format::ALL.iter().map(ToString::to_string).collect();
    format!("readable are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_told_by_its_keys() {
        let of = |keys: &str| {
            let keys: Vec<String> = keys.split(' ').map(String::from).collect();
            super::of(&keys).map(|form| (form.format, form.is_document)).map_err(|problem| format!("{problem:?}"))
        };
        assert_eq!(of("id output"), Ok((Format::Rows, false)));
        assert_eq!(of("id custom_id response error"), Ok((Format::OpenAiBatch, false)));
        assert_eq!(of("error id"), Ok((Format::Rows, false)));
        assert_eq!(of("evalId results config metadata"), Ok((Format::Promptfoo, true)));
        for (keys, part) in [
            ("id output custom_id response", "any of rows of `id` and `output`, OpenAI batch output"),
            ("results configs config versions", "samples_*.jsonl"),
            ("custom_id method url body", "requests of a batch"),
            ("id response", "`output`"),
            ("a b", "its keys are a, b"),
        ] {
            let problem = of(keys).expect_err(keys);
            assert!(problem.contains(part), "{part} in {problem}");
        }
    }
}
