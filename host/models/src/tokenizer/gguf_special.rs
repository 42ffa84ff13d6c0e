//! What llama.cpp makes of a vocabulary once it has read it: which tokens are special, and which end a generation. It goes by
//! the texts of tokens as much as by the file's keys (`src/llama-vocab.cpp`, `llama_vocab::impl::load`, October 2026).

use diapason_core::{Error, Result};
use std::collections::{BTreeSet, HashMap};

/// Kinds of tokens, as llama.cpp numbers them (`llama_token_type`).
pub(crate) const NORMAL: i32 = 1;
pub(crate) const UNKNOWN: i32 = 2;
pub(crate) const CONTROL: i32 = 3;
pub(crate) const USER_DEFINED: i32 = 4;
pub(crate) const UNUSED: i32 = 5;

/// Tokens that end a generation and are control tokens, whatever the file says of them.
const ENDS: [&str; 23] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
    "<|ifm|im_end|>",
];

/// gpt-oss's tokens that are shown although they are control tokens.
const SHOWN: [&str; 4] = ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"];

/// A token of fill-in-the-middle.
pub(crate) struct Infill {
    /// The key that names it, without `tokenizer.ggml.` and `_token_id`.
    pub(crate) key: &'static str,
    /// What it is found by where the key is absent; it becomes a control token then.
    texts: &'static [&'static str],
    /// Whether it ends a generation.
    ends: bool,
}

pub(crate) const INFILL: [Infill; 6] = [
    Infill {
        key: "fim_pre",
        texts: &[
            "<|fim_prefix|>",
            "<fim-prefix>",
            "<fim_prefix>",
            "<｜fim▁begin｜>",
            "<PRE>",
            "▁<PRE>",
            "<|code_prefix|>",
            "<|prefix|>",
            "<|plamo:fim_prefix|>",
        ],
        ends: false,
    },
    Infill {
        key: "fim_suf",
        texts: &[
            "<|fim_suffix|>",
            "<fim-suffix>",
            "<fim_suffix>",
            "<｜fim▁hole｜>",
            "<SUF>",
            "▁<SUF>",
            "<|code_suffix|>",
            "<|suffix|>",
            "<|plamo:fim_suffix|>",
        ],
        ends: false,
    },
    Infill {
        key: "fim_mid",
        texts: &[
            "<|fim_middle|>",
            "<fim-middle>",
            "<fim_middle>",
            "<｜fim▁end｜>",
            "<MID>",
            "▁<MID>",
            "<|code_middle|>",
            "<|middle|>",
            "<|plamo:fim_middle|>",
        ],
        ends: false,
    },
    Infill { key: "fim_pad", texts: &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"], ends: true },
    Infill {
        key: "fim_rep",
        texts: &["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"],
        ends: true,
    },
    Infill { key: "fim_sep", texts: &["<|file_sep|>", "<|plamo:file_separator|>"], ends: true },
];

impl Infill {
    /// Returns the tokens that it could be, by their texts.
    pub(crate) fn candidates(&self, ids: &HashMap<&str, u32>) -> Vec<u32> {
        self.texts.iter().filter_map(|text| ids.get(text).copied()).collect()
    }
}

/// A vocabulary as llama.cpp has it in the end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Special {
    /// The kind of each token.
    pub(crate) kinds: Vec<i32>,
    /// The tokens that end a generation.
    pub(crate) ends: BTreeSet<u32>,
}

/// Returns what llama.cpp makes of these tokens of these kinds. `key` gives the token that a key names
/// (`tokenizer.ggml.KEY_token_id`), or that llama.cpp takes where the key is absent.
///
/// # Errors
/// Several tokens could be the one that llama.cpp finds by its text; which of them it takes depends on its hash table.
pub(crate) fn special(tokens: &[&str], kinds: Vec<i32>, key: &dyn Fn(&str) -> Option<u32>) -> Result<Special> {
    let ids: HashMap<&str, u32> = tokens.iter().enumerate().map(|(id, token)| (*token, id as u32)).collect();
    let mut special = Special { kinds, ends: BTreeSet::new() };
    for infill in &INFILL {
        special.infill(infill, tokens, infill.candidates(&ids), key(infill.key))?;
    }
    for id in ENDS.iter().filter_map(|text| ids.get(text)) {
        special.ends.insert(*id);
        special.kinds[*id as usize] = CONTROL;
    }
    for id in SHOWN.iter().filter_map(|text| ids.get(text)) {
        special.kinds[*id as usize] = USER_DEFINED;
    }
    special.ends.extend(["eos", "eot", "eom"].into_iter().filter_map(key));
    special.except(&ids);
    Ok(special)
}

impl Special {
    fn infill(&mut self, infill: &Infill, tokens: &[&str], candidates: Vec<u32>, named: Option<u32>) -> Result<()> {
        let open = |id: &u32| infill.ends || self.kinds[*id as usize] != CONTROL;
        let found = match (named, candidates.as_slice()) {
            (None, [first, second, ..]) if candidates.iter().any(open) => {
                return Err(ambiguous(infill, tokens, *first, *second));
            }
            (None, [one, ..]) => {
                self.kinds[*one as usize] = CONTROL;
                Some(*one)
            }
            (named, _) => named,
        };
        self.ends.extend(found.filter(|_| infill.ends));
        Ok(())
    }

    /// gpt-oss and Solar Open end a turn otherwise than at `<|end|>`; in Gemma 4 and PLaMo `</s>` is text.
    fn except(&mut self, ids: &HashMap<&str, u32>) {
        let ended = |text: &str, ends: &BTreeSet<u32>| ids.get(text).copied().filter(|id| ends.contains(id));
        let has = |text: &str, ends: &BTreeSet<u32>| ended(text, ends).is_some();
        let called = has("<|call|>", &self.ends) || has("<|calls|>", &self.ends);
        if called && (has("<|return|>", &self.ends) || has("<|flush|>", &self.ends)) {
            self.leave_out(ended("<|end|>", &self.ends), USER_DEFINED);
        }
        if has("<|tool_response>", &self.ends) || has("<|plamo:eos|>", &self.ends) {
            self.leave_out(ended("</s>", &self.ends), NORMAL);
        }
    }

    fn leave_out(&mut self, id: Option<u32>, kind: i32) {
        if let Some(id) = id {
            self.ends.remove(&id);
            self.kinds[id as usize] = kind;
        }
    }
}

fn ambiguous(infill: &Infill, tokens: &[&str], first: u32, second: u32) -> Error {
    let text = |id: u32| tokens[id as usize];
    Error::data(format!(
        "the GGUF file has the tokens `{}` and `{}`, and no `tokenizer.ggml.{}_token_id`",
        text(first),
        text(second),
        infill.key
    ))
    .because("llama.cpp takes one of them for it, whichever its hash table has first")
    .hint(format!("add the key with the id that is meant: {first} or {second} (gguf-new-metadata of llama.cpp)"))
}

#[cfg(test)]
mod tests {
    use super::{CONTROL, NORMAL, USER_DEFINED, special};

    fn ends(tokens: &[&str], keys: &[(&str, u32)]) -> (Vec<u32>, Vec<i32>) {
        let key = |name: &str| keys.iter().find(|(known, _)| *known == name).map(|(_, id)| *id);
        let found = special(tokens, vec![NORMAL; tokens.len()], &key).expect("one meaning");
        (found.ends.into_iter().collect(), found.kinds)
    }

    #[test]
    fn keys_and_texts_end_a_generation() {
        assert_eq!(ends(&["a", "b", "c", "d"], &[("eos", 1), ("eom", 3)]), (vec![1, 3], vec![NORMAL; 4]));
        let (found, kinds) = ends(&["a", "<|im_end|>", "<|file_sep|>", "<PRE>"], &[("eos", 0)]);
        assert_eq!((found, kinds), (vec![0, 1, 2], vec![NORMAL, CONTROL, CONTROL, CONTROL]));
    }

    #[test]
    fn a_key_stands_for_the_token_of_that_text() {
        let (found, kinds) = ends(&["a", "[PAD]", "<PAD>"], &[("fim_pad", 1)]);
        assert_eq!((found, kinds), (vec![1], vec![NORMAL; 3]));
        let error = special(&["a", "[PAD]", "<PAD>"], vec![NORMAL; 3], &|_| None).expect_err("two").to_string();
        assert!(error.contains("`<PAD>` and `[PAD]`") && error.contains("fim_pad_token_id"), "{error}");
    }

    #[test]
    fn some_ends_are_none_beside_others() {
        let (found, kinds) = ends(&["<|end|>", "<|return|>", "<|call|>", "<|channel|>"], &[]);
        assert_eq!((found, kinds), (vec![1, 2], vec![USER_DEFINED, CONTROL, CONTROL, USER_DEFINED]));
        let (found, _) = ends(&["<|end|>", "<|return|>"], &[]);
        assert_eq!(found, [0, 1], "Phi-3's");
        let (found, kinds) = ends(&["</s>", "<|tool_response>"], &[]);
        assert_eq!((found, kinds), (vec![1], vec![NORMAL, CONTROL]));
    }
}
