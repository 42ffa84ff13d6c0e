//! Ways to cut a text into words before its bytes are merged, and llama.cpp's names for them (`tokenizer.ggml.pre`;
//! `src/llama-vocab.cpp`, October 2026).
//!
//! A name stands here only if llama.cpp gives the same ids under it as the definition does: `tests/oracles/pre_tokenizers.py`
//! asks both. What llama.cpp approximates (GPT-4o's, Tekken's and DeepSeek Coder's expressions) has no name here.

use diapason_core::{Error, Result};
use serde_json::{Value, json};

/// One step of a definition, as `tokenizers` calls them.
enum Step {
    /// Every match of the expression is a word of its own.
    Split(&'static str),
    /// Every digit is a word of its own.
    Digits,
    /// Digits that follow one another are a word.
    Numbers,
    /// Signs that follow one another are a word.
    Punctuation,
    /// GPT-2's expression, then bytes as letters.
    Words,
    /// Bytes as letters.
    Bytes,
}

/// A definition and its name.
struct Known {
    name: &'static str,
    /// Further names that llama.cpp takes for the same.
    others: &'static [&'static str],
    steps: &'static [Step],
    /// Whether a word that is a token is never cut.
    whole_words: bool,
    /// Whether published models compose characters first (NFC). llama.cpp does not.
    composed: bool,
}

use Step::{Bytes, Digits, Numbers, Punctuation, Split, Words};

const LLAMA_3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN_2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN_35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK_3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
const SEED: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const LING: &str = r"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const GPT_2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)";

const fn known(name: &'static str, others: &'static [&'static str], steps: &'static [Step]) -> Known {
    Known { name, others, steps, whole_words: false, composed: false }
}

const TABLE: [Known; 12] = [
    known(
        "gpt-2",
        &["phi-2", "gigachat", "a.x-4.0", "mellum", "exaone4", "mpt", "olmo", "jais", "trillion", "granite-docling"],
        &[Words],
    ),
    known(
        "smollm",
        &["starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"],
        &[Digits, Words],
    ),
    Known {
        whole_words: true,
        ..known(
            "llama-bpe",
            &["llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "glm4", "glm5"],
            &[Split(LLAMA_3), Bytes],
        )
    },
    known("smaug-bpe", &["dbrx", "chatglm-bpe"], &[Split(LLAMA_3), Bytes]),
    Known {
        composed: true,
        ..known("qwen2", &["deepseek-r1-qwen", "kormo", "megrez", "f2llmv2"], &[Split(QWEN_2), Bytes])
    },
    known("stablelm2", &["hunyuan", "solar-open", "grok-2"], &[Split(QWEN_2), Bytes]),
    Known { composed: true, ..known("qwen35", &[], &[Split(QWEN_35), Bytes]) },
    known(
        "deepseek-v3",
        &["hunyuan-dense", "joyai-llm", "hy_v4"],
        &[Split(r"\p{N}{1,3}"), Split("[一-龥぀-ゟ゠-ヿ]+"), Split(DEEPSEEK_3), Bytes],
    ),
    known("falcon", &[], &[Punctuation, Words, Numbers, Split("[0-9][0-9][0-9]")]),
    known("seed-coder", &[], &[Split(SEED), Bytes]),
    known("bailingmoe", &["bailingmoe2", "llada-moe"], &[Split(LING), Bytes]),
    known(
        "default",
        &[],
        &[Split(r"[\p{P}\$\+<=>\^~\|]+"), Split(GPT_2), Split(r"\p{N}+"), Split("[0-9][0-9][0-9]"), Bytes],
    ),
];

/// What a name stands for.
pub(crate) struct Definition {
    pub(crate) pre_tokenizer: Value,
    pub(crate) ignore_merges: bool,
}

/// The definition that llama.cpp has under this name. It composes no characters under any.
///
/// # Errors
/// The name is none of the table.
pub(crate) fn definition(name: &str) -> Result<Definition> {
    let found = TABLE.iter().find(|known| known.name == name || known.others.contains(&name));
    let found = found.ok_or_else(|| {
        Error::data(format!("the pre-tokenizer `{name}` in the GGUF file is not supported"))
            .hint(format!("supported: {}; or use the safetensors folder", names().join(", ")))
    })?;
    Ok(Definition { pre_tokenizer: found.json(), ignore_merges: found.whole_words })
}

/// A name, and whether the tokenizer composes characters, which llama.cpp does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) name: &'static str,
    pub(crate) composed: bool,
}

/// llama.cpp's name for the way in which a byte-level BPE, given as its `tokenizer.json`, makes words.
///
/// # Errors
/// llama.cpp has no name for it, or does something else under the name that it has.
pub(crate) fn name(json: &Value) -> Result<Name> {
    let refuse = |what: String| {
        Error::data(format!("the tokenizer {what}, for which llama.cpp has no name")).hint(format!(
            "exported are the definitions {}; `diapason merge` writes a folder instead, for llama.cpp's own converter",
            names().join(", ")
        ))
    };
    let whole_words = json["model"]["ignore_merges"].as_bool().unwrap_or_default();
    let given = canonical(&json["pre_tokenizer"]);
    let mut cutting = TABLE.iter().filter(|known| canonical(&known.json()) == given).peekable();
    if cutting.peek().is_none() {
        return Err(refuse(format!("cuts texts into words in its own way ({})", shortened(&json["pre_tokenizer"]))));
    }
    let mut merging = cutting.filter(|known| known.whole_words == whole_words).peekable();
    if merging.peek().is_none() {
        return Err(refuse(format!("{} words that are tokens", if whole_words { "never cuts" } else { "cuts" })));
    }
    let composed = match &json["normalizer"] {
        Value::Null => false,
        normalizer if normalizer["type"] == "NFC" => true,
        other => return Err(refuse(format!("changes texts before it cuts them ({})", shortened(other)))),
    };
    // Under the names of models that compose characters other readers may do so; llama.cpp never does.
    let first = merging.peek().copied().filter(|_| !composed);
    let found = merging.find(|known| known.composed == composed).or(first);
    let found = found.ok_or_else(|| refuse("composes characters first (NFC)".to_owned()))?;
    Ok(Name { name: found.name, composed })
}

fn names() -> Vec<&'static str> {
    TABLE.iter().map(|known| known.name).collect()
}

impl Known {
    fn json(&self) -> Value {
        let steps: Vec<Value> = self.steps.iter().map(Step::json).collect();
        match <[Value; 1]>::try_from(steps) {
            Ok([one]) => one,
            Err(steps) => json!({"type": "Sequence", "pretokenizers": steps}),
        }
    }
}

impl Step {
    fn json(&self) -> Value {
        let bytes = |regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex});
        match self {
            Split(regex) => {
                json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": false})
            }
            Digits => json!({"type": "Digits", "individual_digits": true}),
            Numbers => json!({"type": "Digits", "individual_digits": false}),
            Punctuation => json!({"type": "Punctuation", "behavior": "Contiguous"}),
            Words => bytes(true),
            Bytes => bytes(false),
        }
    }
}

/// A definition with defaults filled in, and without what changes no id.
fn canonical(json: &Value) -> Vec<Value> {
    let mut step = json.clone();
    match json["type"].as_str() {
        Some("Sequence") => {
            let steps = json["pretokenizers"].as_array().into_iter().flatten();
            return steps.flat_map(canonical).collect();
        }
        Some("ByteLevel") => {
            // Offsets are not ids. Both others are on where the file does not say.
            step["trim_offsets"] = true.into();
            for key in ["use_regex", "add_prefix_space"] {
                step[key] = json[key].as_bool().unwrap_or(true).into();
            }
        }
        // All of these expressions match every character: what lies between matches, which is nothing, may go.
        Some("Split") if json["behavior"] == "Removed" && json["invert"] == true => {
            step["behavior"] = "Isolated".into();
            step["invert"] = false.into();
        }
        _ => {}
    }
    vec![step]
}

/// So much of a definition as fits into a line.
pub(crate) fn shortened(json: &Value) -> String {
    const LONGEST: usize = 160;
    let text = json.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{TABLE, definition, name};
    use serde_json::{Value, json};

    #[test]
    fn a_name_is_written_for_what_it_is_read_as() {
        for known in &TABLE {
            let read = definition(known.name).expect("a name");
            let json = json!({
                "pre_tokenizer": read.pre_tokenizer,
                "normalizer": if known.composed { json!({"type": "NFC"}) } else { Value::Null },
                "model": {"ignore_merges": read.ignore_merges},
            });
            assert_eq!(name(&json).expect("a definition").name, known.name);
            for other in known.others {
                let read = definition(other).expect("another name");
                assert_eq!((read.pre_tokenizer, read.ignore_merges), (known.json(), known.whole_words), "{other}");
            }
        }
        let error = definition("gpt-4o").err().expect("approximated there").to_string();
        assert!(error.contains("the pre-tokenizer `gpt-4o`"), "{error}");
    }

    fn tokenizer(pre: Value, normalizer: Value, whole: bool) -> Value {
        json!({"pre_tokenizer": pre, "normalizer": normalizer, "model": {"ignore_merges": whole}})
    }

    #[test]
    fn spellings_that_give_the_same_ids_have_the_same_name() {
        let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false});
        assert_eq!(name(&tokenizer(bytes, Value::Null, false)).expect("gpt-2").name, "gpt-2");
        let split =
            json!({"type": "Split", "pattern": {"Regex": super::LLAMA_3}, "behavior": "Removed", "invert": true});
        let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false});
        let nested =
            json!({"type": "Sequence", "pretokenizers": [{"type": "Sequence", "pretokenizers": [split]}, bytes]});
        assert_eq!(name(&tokenizer(nested.clone(), Value::Null, true)).expect("Llama 3").name, "llama-bpe");
        assert_eq!(name(&tokenizer(nested, Value::Null, false)).expect("Smaug").name, "smaug-bpe");
    }

    #[test]
    fn what_llama_cpp_does_otherwise_is_refused() {
        let bytes = |space: bool| json!({"type": "ByteLevel", "add_prefix_space": space, "use_regex": true});
        for (json, said) in [
            (
                tokenizer(bytes(true), Value::Null, false),
                "cuts texts into words in its own way ({\"type\":\"ByteLevel\"",
            ),
            (tokenizer(json!({"type": "ByteLevel"}), Value::Null, false), "cuts texts into words in its own way"),
            (tokenizer(bytes(false), json!({"type": "Lowercase"}), false), "changes texts before it cuts them"),
            (tokenizer(bytes(false), json!({"type": "NFC"}), false), "composes characters first (NFC)"),
            (tokenizer(bytes(false), Value::Null, true), "never cuts words that are tokens"),
            (tokenizer(Value::Null, Value::Null, false), "cuts texts into words in its own way (null)"),
        ] {
            let error = name(&json).expect_err(said).to_string();
            assert!(error.contains(said) && error.contains("llama.cpp has no name"), "{error}");
        }
    }
}
