//! Which of transformers' classes reads a folder's tokenizer, and what the class makes of `tokenizer.json`.
//!
//! Version 5.24 takes the file as it stands in one class only. The others keep its vocabulary and its merges and cut texts in
//! a way of their own, so that the same file gives other ids under another `tokenizer_class` or `model_type`.

use diapason_core::{Error, Result};
use serde_json::{Map, Value, json};

/// A class of transformers, by what it does with `tokenizer.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// `TokenizersBackend`: reads it as it stands.
    File,
    Llama,
    CodeLlama,
    Qwen2,
    Gpt2,
    GptNeoX,
}

/// Classes that make of the file what is not known here.
const OTHERS: [&str; 58] = [
    "AlbertTokenizer",
    "BarthezTokenizer",
    "BartTokenizer",
    "BertTokenizer",
    "BigBirdTokenizer",
    "BlenderbotTokenizer",
    "ByT5Tokenizer",
    "CLIPTokenizer",
    "CTRLTokenizer",
    "CamembertTokenizer",
    "CanineTokenizer",
    "CohereTokenizer",
    "CpmTokenizer",
    "DebertaTokenizer",
    "DebertaV2Tokenizer",
    "EsmTokenizer",
    "EsmcTokenizer",
    "FlaubertTokenizer",
    "FunnelTokenizer",
    "GPTNeoXJapaneseTokenizer",
    "GPTSw3Tokenizer",
    "GemmaTokenizer",
    "HerbertTokenizer",
    "LEDTokenizer",
    "LasrTokenizer",
    "LayoutLMv2Tokenizer",
    "LayoutLMv3Tokenizer",
    "LayoutXLMTokenizer",
    "LukeTokenizer",
    "LxmertTokenizer",
    "M2M100Tokenizer",
    "MBart50Tokenizer",
    "MBartTokenizer",
    "MLukeTokenizer",
    "MPNetTokenizer",
    "MarianTokenizer",
    "MarkupLMTokenizer",
    "MobileBertTokenizer",
    "MvpTokenizer",
    "NllbTokenizer",
    "NougatTokenizer",
    "OpenAIGPTTokenizer",
    "PegasusTokenizer",
    "Qwen3_5Tokenizer",
    "ReformerTokenizer",
    "RemBertTokenizer",
    "RoFormerTokenizer",
    "RobertaTokenizer",
    "SeamlessM4TTokenizer",
    "SiglipTokenizer",
    "Siglip2Tokenizer",
    "SplinterTokenizer",
    "T5Tokenizer",
    "UdopTokenizer",
    "WhisperTokenizer",
    "XGLMTokenizer",
    "XLMRobertaTokenizer",
    "XLNetTokenizer",
];

/// Where a class cuts Qwen's texts.
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

impl Class {
    /// The class for a model with this `config.json`, whose `tokenizer_config.json` is `fields`.
    ///
    /// # Errors
    /// It is a class that is not known here, or code that comes with the model.
    pub(super) fn of(config: &Value, fields: &Map<String, Value>, json: &str) -> Result<Self> {
        if let Some(map) = fields.get("auto_map").filter(|map| map.is_array() || !map["AutoTokenizer"].is_null()) {
            return Err(Error::data(format!("the tokenizer is Python code of its own: `auto_map` is {map}"))
                .hint("where tokenizer.json says all, remove `auto_map` from tokenizer_config.json"));
        }
        let named = fields.get("tokenizer_class").filter(|name| !name.is_null());
        let name = named.or_else(|| config.get("tokenizer_class")).and_then(Value::as_str);
        let name = name.map(|name| name.strip_suffix("Fast").unwrap_or(name));
        match config["model_type"].as_str() {
            // Of these the file is right whatever is written there, and of those it never is.
            Some("mistral" | "ministral") => Ok(Self::File),
            Some("qwen2") => Ok(Self::Qwen2),
            Some("qwen3") if name.is_none() => Ok(Self::Qwen2),
            _ if name == Some("LlamaTokenizer") && json.contains("\"ByteLevel\"") => Ok(Self::File),
            _ => name.map_or(Ok(Self::File), Self::named),
        }
    }

    fn named(name: &str) -> Result<Self> {
        match name {
            "LlamaTokenizer" => Ok(Self::Llama),
            "CodeLlamaTokenizer" => Ok(Self::CodeLlama),
            "Qwen2Tokenizer" => Ok(Self::Qwen2),
            "GPT2Tokenizer" => Ok(Self::Gpt2),
            "GPTNeoXTokenizer" => Ok(Self::GptNeoX),
            _ if OTHERS.contains(&name) => Err(Error::data(format!("the tokenizer class {name} is not supported"))
                .hint("where tokenizer.json says all, write `\"tokenizer_class\": \"TokenizersBackend\"` in tokenizer_config.json")),
            _ => Ok(Self::File),
        }
    }

    /// The special tokens that the class has where `tokenizer_config.json` names none.
    pub(super) fn defaults(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::File => &[],
            Self::Llama => &[("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>")],
            Self::CodeLlama => &[
                ("bos_token", "<s>"),
                ("eos_token", "</s>"),
                ("unk_token", "<unk>"),
                ("prefix_token", "▁<PRE>"),
                ("middle_token", "▁<MID>"),
                ("suffix_token", "▁<SUF>"),
                ("eot_token", "▁<EOT>"),
                ("fill_token", "<FILL_ME>"),
            ],
            Self::Qwen2 => {
                &[("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>"), ("pad_token", "<|endoftext|>")]
            }
            Self::Gpt2 => {
                &[("bos_token", "<|endoftext|>"), ("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>")]
            }
            Self::GptNeoX => &[
                ("bos_token", "<|endoftext|>"),
                ("eos_token", "<|endoftext|>"),
                ("unk_token", "<|endoftext|>"),
                ("pad_token", "<|padding|>"),
            ],
        }
    }

    /// `tokenizer.json` as the class makes it anew, without added tokens; `None` where it stands as it is.
    ///
    /// # Errors
    /// The file has no BPE, or one without merges.
    pub(super) fn rebuilt(self, mut json: Value, fields: &Map<String, Value>) -> Result<Option<Value>> {
        if self == Self::File {
            return Ok(None);
        }
        let model = &json["model"];
        if model["type"] != "BPE" || !model["vocab"].is_object() || !model["merges"].is_array() {
            return Err(Error::data(format!("tokenizer.json has no BPE with merges, which its class ({self:?}) needs"))
                .hint("where tokenizer.json says all, write `\"tokenizer_class\": \"TokenizersBackend\"` in tokenizer_config.json"));
        }
        let bytes = matches!(self, Self::Llama | Self::CodeLlama);
        let affix = if bytes { Value::Null } else { "".into() };
        for (key, value) in [
            ("dropout", Value::Null),
            ("unk_token", if self == Self::CodeLlama { unknown(fields) } else { Value::Null }),
            ("continuing_subword_prefix", affix.clone()),
            ("end_of_word_suffix", affix),
            ("fuse_unk", bytes.into()),
            ("byte_fallback", bytes.into()),
            ("ignore_merges", false.into()),
        ] {
            json["model"][key] = value;
        }
        let (normalizer, pre_tokenizer, decoder) = self.pipeline(fields);
        json["normalizer"] = normalizer;
        json["pre_tokenizer"] = pre_tokenizer;
        json["decoder"] = decoder;
        json["added_tokens"] = json!([]);
        Ok(Some(json))
    }

    fn pipeline(self, fields: &Map<String, Value>) -> (Value, Value, Value) {
        let given = fields.get("add_prefix_space").and_then(Value::as_bool);
        let letters = json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true});
        let bytes = |regex: bool| json!({"type": "ByteLevel", "add_prefix_space": given.unwrap_or(false), "trim_offsets": true, "use_regex": regex});
        match self {
            Self::File => (Value::Null, Value::Null, Value::Null),
            Self::Llama | Self::CodeLlama => {
                let prefix = given.unwrap_or(true);
                let legacy = self == Self::Llama && fields.get("legacy").and_then(Value::as_bool).unwrap_or(false);
                let scheme = if !prefix {
                    "never"
                } else if legacy {
                    "always"
                } else {
                    "first"
                };
                let space = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": false});
                (Value::Null, space, words(prefix || self == Self::CodeLlama))
            }
            Self::Qwen2 => {
                let split =
                    json!({"type": "Split", "pattern": {"Regex": QWEN2}, "behavior": "Isolated", "invert": false});
                let both = json!({"type": "Sequence", "pretokenizers": [split, bytes(false)]});
                (json!({"type": "NFC"}), both, letters)
            }
            Self::Gpt2 => (Value::Null, bytes(true), letters),
            Self::GptNeoX => (json!({"type": "NFC"}), bytes(true), letters),
        }
    }
}

/// The token for what has none.
fn unknown(fields: &Map<String, Value>) -> Value {
    fields.get("unk_token").map_or("<unk>".into(), |token| token.get("content").unwrap_or(token).clone())
}

/// The decoder of pieces in which a space is written as `▁`.
fn words(prefix: bool) -> Value {
    let mut steps = vec![
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if prefix {
        steps.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    json!({"type": "Sequence", "decoders": steps})
}
