//! From files to the parts of a model: a safetensors folder as transformers writes it, or a GGUF file.

use crate::chat::Chat;
use crate::decoder::{Llama, Parameters};
use crate::decoding::Said;
use crate::families::Config;
use crate::formats::json::parse;
use crate::formats::{Folder, Format, Gguf};
use crate::model::Digests;
use crate::model::origin::Origin;
use crate::tokenizer::{Beside, Tokenizer, from_gguf};
use candle_core::{DType, Device, Tensor};
use diapason_core::{Error, Result, digest};
use diapason_disk::{files, foreign};
use diapason_nn::kernels::Weight;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// What the two kinds of files give.
pub(crate) struct Parts {
    pub(crate) llama: Llama,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) chat: Chat,
    pub(crate) origin: Option<Origin>,
    pub(crate) said: Said,
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
        refuse_adapter(path)?;
        let text = files::read_text(&path.join("config.json"))?;
        let json = parse(&path.join("config.json"), &text)?;
        let mut config = Config::from_json(&json)
            .map_err(|error| error.context(format!("failed to read {}", path.join("config.json").display())))?;
        let (tokenizer, chat) = Self::words(path, &json, config.vocab_size)?;
        let said = Said::of_folder(path, &text)?;
        let mut folder = Folder::open(path)?;
        folder.settle_tied(&mut config)?;
        let digests = Digests {
            weights: format.map_or_else(String::new, |_| folder.digest()),
            tokenizer: digest::of_bytes(tokenizer.whole_json()),
            config: digest::of_bytes(text.as_bytes()),
        };
        let llama = Llama::build(config, FolderParameters { folder: &folder, format, device })?;
        folder.refuse_unused(&names_of(&llama))?;
        Ok(Self {
            llama,
            tokenizer,
            chat,
            origin: Some(Origin::read(path, json.as_object().cloned().unwrap_or_default())?),
            stop_ids: ends(&said)?,
            said,
            digests,
        })
    }

    /// The tokenizer of a folder with this `config.json`, and how it writes conversations.
    fn words(path: &Path, config: &Value, rows: usize) -> Result<(Tokenizer, Chat)> {
        let tokenizer_path = path.join("tokenizer.json");
        if tokenizer_path.symlink_metadata().is_err() {
            return Err(Error::data(format!("{} holds no tokenizer.json", path.display()))
                .hint("let transformers write it: `AutoTokenizer.from_pretrained(folder).save_pretrained(folder)`"));
        }
        let text = files::read_text(&tokenizer_path)?;
        let beside = Beside::of_model(path, config, &text)?;
        let tokenizer = Tokenizer::of_folder(text.into_bytes(), &beside, rows)
            .map_err(|error| error.context(format!("failed to read {}", tokenizer_path.display())))?;
        Ok((tokenizer, Chat::beside(path, &beside)?))
    }

    fn of_gguf(path: &Path, format: Option<Format>, device: &Device) -> Result<Self> {
        let gguf = Gguf::open(path)?;
        let config = gguf.config()?;
        let (tokenizer, stop_ids) = from_gguf(&gguf)?;
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
            chat: Chat::of_gguf(&gguf)?,
            origin: None,
            said: Said::of_gguf(path, &gguf),
            stop_ids,
            digests,
        })
    }
}

/// Refuses a model's folder that holds an adapter too: transformers would put it on the model.
fn refuse_adapter(folder: &Path) -> Result<()> {
    const CONFIG: &str = "adapter_config.json";
    match folder.join(CONFIG).is_file() && folder.join("config.json").is_file() {
        true => Err(Error::data(format!("{} holds a model and an adapter for it ({CONFIG})", folder.display())).hint(
            "move the adapter's files into a folder of their own and name that as the adapter; if the adapter is merged, \
             remove them",
        )),
        false => Ok(()),
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

/// The tokens that end a generation, as transformers finds them: those of generation_config.json where there is one, even
/// if it names none, otherwise those of config.json.
fn ends(said: &Said) -> Result<Vec<u32>> {
    const KEY: &str = "eos_token_id";
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    let ids = match said.get(KEY) {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(id).collect(),
        Some(one) => id(one).map(|id| vec![id]),
    };
    match ids {
        // transformers takes the first of them for padding, and fails; beside a `pad_token_id` it never stops.
        Some(ids) if ids.is_empty() => said.refuse(
            KEY,
            "no token would end a text",
            "name the token that ends one, or remove the field: the tokenizer's `eos_token` is then taken",
        ),
        Some(ids) => Ok(ids),
        None => said.refuse(KEY, "expected a token id", "it is the id of the token that ends a text, or a list of ids"),
    }
}
