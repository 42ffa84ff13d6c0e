//! From files to the parts of a model: a safetensors folder as transformers writes it, or a GGUF file.

use crate::arch::{Config, Llama, Parameters};
use crate::kernels::Weight;
use crate::model::Digests;
use crate::tokenizer::{Tokenizer, from_gguf};
use crate::weights::{Folder, Format, Gguf};
use candle_core::{DType, Device, Tensor};
use diapason_core::{Error, Result, digest, files, foreign};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;

/// What the two kinds of files give.
pub(crate) struct Parts {
    pub(crate) llama: Llama,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) chat_template: Option<String>,
    pub(crate) special_tokens: Map<String, Value>,
    pub(crate) stop_ids: Vec<u32>,
    pub(crate) digests: Digests,
}

impl Parts {
    /// Reads a safetensors folder or a `.gguf` file; without a `format` everything but the weights, of which only names
    /// and shapes are checked.
    pub(crate) fn read(path: &Path, format: Option<Format>, device: &Device) -> Result<Self> {
        foreign::guarded(path.display(), || {
            if path.is_dir() { Self::of_folder(path, format, device) } else { Self::of_gguf(path, format, device) }
        })
    }

    fn of_folder(path: &Path, format: Option<Format>, device: &Device) -> Result<Self> {
        let text = files::read_text(&path.join("config.json"))?;
        let json = parse(&path.join("config.json"), &text)?;
        let mut config = Config::from_json(&json)
            .map_err(|error| error.context(format!("failed to read {}", path.join("config.json").display())))?;
        let tokenizer_path = path.join("tokenizer.json");
        let tokenizer = Tokenizer::from_json(files::read_text(&tokenizer_path)?.into_bytes())
            .map_err(|error| error.context(format!("failed to read {}", tokenizer_path.display())))?;
        let generation = optional(path, "generation_config.json")?;
        let tokenizer_config = optional(path, "tokenizer_config.json")?;
        let mut special_tokens = special_tokens(&optional(path, "special_tokens_map.json")?);
        special_tokens.extend(self::special_tokens(&tokenizer_config));
        let mut folder = Folder::open(path)?;
        folder.settle_tied(&mut config)?;
        let digests = Digests {
            weights: format.map_or_else(String::new, |_| folder.digest()),
            tokenizer: digest::of_bytes(tokenizer.json()),
            config: digest::of_bytes(text.as_bytes()),
        };
        let llama = Llama::build(config, FolderParameters { folder: &folder, format, device })?;
        folder.refuse_unused(&names_of(&llama))?;
        Ok(Self {
            llama,
            tokenizer,
            chat_template: chat_template(path, &tokenizer_config)?,
            special_tokens,
            stop_ids: ends(path, &json, &generation)?,
            digests,
        })
    }

    fn of_gguf(path: &Path, format: Option<Format>, device: &Device) -> Result<Self> {
        let gguf = Gguf::open(path)?;
        let config = gguf.config()?;
        let tokenizer = from_gguf(&gguf)?;
        let tokens = gguf.texts("tokenizer.ggml.tokens")?;
        let id = |name: &str| gguf.integer(&format!("tokenizer.ggml.{name}_token_id"));
        let token = |(name, key): (&str, &str)| Some((key.to_owned(), Value::from(*tokens.get(id(name)? as usize)?)));
        let names = [("bos", "bos_token"), ("eos", "eos_token"), ("unknown", "unk_token"), ("padding", "pad_token")];
        let digests = Digests {
            weights: format.map_or_else(String::new, |_| gguf.digest()),
            tokenizer: digest::of_bytes(tokenizer.json()),
            config: digest::of_bytes(config.to_json().to_string().as_bytes()),
        };
        let llama = Llama::build(config.clone(), GgufParameters { gguf: &gguf, config: &config, format, device })?;
        gguf.refuse_unused(&names_of(&llama))?;
        Ok(Self {
            llama,
            tokenizer,
            chat_template: gguf.text("tokenizer.chat_template").ok().map(str::to_owned),
            special_tokens: names.into_iter().filter_map(token).collect(),
            stop_ids: ["eos", "eot", "eom"]
                .into_iter()
                .filter_map(id)
                .filter_map(|id| u32::try_from(id).ok())
                .collect(),
            digests,
        })
    }
}

/// The names of a decoder's parameters.
fn names_of(llama: &Llama) -> BTreeSet<String> {
    llama.parameters().into_iter().map(|(name, _)| name).collect()
}

struct FolderParameters<'a> {
    folder: &'a Folder,
    format: Option<Format>,
    device: &'a Device,
}

impl Parameters for FolderParameters<'_> {
    type Error = Error;

    fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<Tensor> {
        match self.format {
            Some(_) => self.folder.parameter(name, shape, self.device),
            None => self.folder.check(name, shape).and_then(|()| hollow(shape)),
        }
    }

    fn linear(&mut self, name: &str, shape: [usize; 2]) -> Result<Weight> {
        match self.format {
            Some(format) => self.folder.weight(name, shape, format, self.device),
            None => self.tensor(name, &shape).map(Weight::from),
        }
    }
}

struct GgufParameters<'a> {
    gguf: &'a Gguf,
    config: &'a Config,
    format: Option<Format>,
    device: &'a Device,
}

impl Parameters for GgufParameters<'_> {
    type Error = Error;

    fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<Tensor> {
        match self.format {
            Some(_) => self.gguf.parameter(self.config, name, shape, self.device),
            None => self.gguf.check(name, shape).and_then(|_| hollow(shape)),
        }
    }

    fn linear(&mut self, name: &str, shape: [usize; 2]) -> Result<Weight> {
        match self.format {
            Some(format) => self.gguf.weight(self.config, name, shape, format, self.device),
            None => self.tensor(name, &shape).map(Weight::from),
        }
    }
}

/// A tensor with a shape and no numbers of its own: one zero, seen everywhere.
fn hollow(shape: &[usize]) -> Result<Tensor> {
    let zero = Tensor::zeros(1, DType::F32, &Device::Cpu).and_then(|zero| zero.broadcast_as(shape));
    zero.map_err(|source| Error::run("failed to outline a tensor").because(source))
}

fn parse(path: &Path, text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|source| Error::data(format!("failed to read {}", path.display())).because(source).hint(DAMAGED))
}

/// What to do about a description that is no JSON.
const DAMAGED: &str = "the file is cut short or was edited; fetch it again";

/// A JSON file, or null where there is none.
fn optional(folder: &Path, name: &str) -> Result<Value> {
    let path = folder.join(name);
    // What is there but is no file is refused, not passed over.
    if path.symlink_metadata().is_err() {
        return Ok(Value::Null);
    }
    parse(&path, &files::read_text(&path)?)
}

/// `bos_token` and its like, given as a text or as an object with `content`.
fn special_tokens(json: &Value) -> Map<String, Value> {
    let text = |value: &Value| value.as_str().or_else(|| value.get("content")?.as_str()).map(Value::from);
    let fields = json.as_object().into_iter().flatten();
    let tokens = fields.filter(|(name, _)| name.ends_with("_token") && !name.starts_with("add_"));
    tokens.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

/// The tokens that end a generation, as transformers finds them: those of generation_config.json where there is one, even
/// if it names none, otherwise those of config.json.
fn ends(folder: &Path, config: &Value, generation: &Value) -> Result<Vec<u32>> {
    let (file, value) = match generation {
        Value::Null => ("config.json", &config["eos_token_id"]),
        _ => ("generation_config.json", &generation["eos_token_id"]),
    };
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    let ids = match value {
        Value::Null => Some(Vec::new()),
        Value::Array(list) => list.iter().map(id).collect(),
        one => id(one).map(|id| vec![id]),
    };
    ids.ok_or_else(|| {
        Error::data(format!("`eos_token_id` in {} is {value}", folder.join(file).display()))
            .hint("it is the id of the token that ends a text, or a list of ids")
    })
}

/// `chat_template.jinja`, or what older folders keep in `tokenizer_config.json`: a text, or a list with names.
fn chat_template(folder: &Path, tokenizer_config: &Value) -> Result<Option<String>> {
    let path = folder.join("chat_template.jinja");
    if path.symlink_metadata().is_ok() {
        return files::read_text(&path).map(Some);
    }
    let template = &tokenizer_config["chat_template"];
    let default = template.as_array().into_iter().flatten().find(|entry| entry["name"] == "default");
    let text = template.as_str().or_else(|| default?["template"].as_str());
    Ok(text.map(str::to_owned))
}
