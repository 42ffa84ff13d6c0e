//! Texts that no chat template wrote: the tokenizer's own special tokens stand around them.

use super::Tokenizer;
use diapason_core::language_model::LITERAL;
use diapason_core::{Error, Result};

impl Tokenizer {
    /// The ids of a text with what the tokenizer puts before it, unless the text begins with that.
    ///
    /// # Errors
    /// The tokenizer ends texts with a token: nothing could be written after it.
    pub(super) fn encode_plain(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.beginning()?;
        if ids.first().and_then(|first| self.inner.id_to_token(*first)).is_some_and(|first| text.starts_with(&first)) {
            ids.clear();
        }
        ids.extend(self.encode_bare(text)?);
        Ok(ids)
    }

    /// The ids of a text and nothing else.
    pub(super) fn encode_bare(&self, text: &str) -> Result<Vec<u32>> {
        if text.contains(LITERAL) { self.encode_marked(text) } else { self.ids(&self.inner, text) }
    }

    /// What the tokenizer puts before a text: those of the tokens around `x` that stand before it.
    fn beginning(&self) -> Result<Vec<u32>> {
        let fail = |source| Error::run("failed to tokenise a text").because(source);
        let around = self.inner.encode_fast("x", true).map_err(fail)?;
        let bare = self.ids(&self.inner, "x")?;
        match around.get_ids().strip_suffix(bare.as_slice()) {
            Some(first) => Ok(first.to_vec()),
            None => Err(Error::data("the tokenizer puts a token at the end of a text, which a prompt cannot have")
                .hint("ask through the chat template: `task = { file = \"…\", apply_chat_template = true }`")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use diapason_core::language_model::{PLAIN, Tokenizer as _};
    use serde_json::{Value, json};

    fn tokenizer(single: Value) -> super::Tokenizer {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/llama-tied/tokenizer.json");
        let mut json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        json["post_processor"] = json!({
            "type": "TemplateProcessing", "single": single, "pair": [],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [256], "tokens": ["<s>"]}}
        });
        super::Tokenizer::from_json(json.to_string().into_bytes()).unwrap()
    }

    #[test]
    fn what_the_tokenizer_adds_stands_before_plain_text_only_once() {
        let (begin, text) =
            (json!({"SpecialToken": {"id": "<s>", "type_id": 0}}), json!({"Sequence": {"id": "A", "type_id": 0}}));
        let with = tokenizer(json!([begin, text]));
        let bare = with.encode("ab").unwrap();
        assert_eq!(with.encode(&format!("{PLAIN}ab")).unwrap(), [&[256], bare.as_slice()].concat());
        assert_eq!(with.encode(&format!("{PLAIN}<s>ab")).unwrap(), [&[256], bare.as_slice()].concat());
        assert_eq!(with.encode(&PLAIN.to_string()).unwrap(), [256]);
        let without = tokenizer(json!([text]));
        assert_eq!(without.encode(&format!("{PLAIN}ab")).unwrap(), bare);
        let ending = tokenizer(json!([text, begin]));
        assert!(ending.encode(&format!("{PLAIN}ab")).unwrap_err().to_string().contains("at the end of a text"));
    }
}
