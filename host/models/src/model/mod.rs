//! A model with all that belongs to it: decoder, tokenizer, chat template, special tokens.

mod open;
pub(crate) mod origin;
mod save;
use crate::chat::Chat;
use crate::decoder::Llama;
use crate::decoding::{Rules, Said};
use crate::families::Config;
use crate::families::DROPOUT;
use crate::formats::Format;
use crate::templates::{ChatTemplates, DEFAULT};
use crate::tokenizer::Tokenizer;
use candle_core::{Device, Tensor};
use diapason_core::{Error, Result, digest, language_model};
use open::Parts;
use origin::Origin;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// SHA-256 of a model's parts, as hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// The weights: the file, or the `sha256sum` list of its shards.
    pub weights: String,
    /// `tokenizer.json`, or what a GGUF file's tokenizer becomes as one.
    pub tokenizer: String,
    /// `config.json`, or what a GGUF file's metadata become as one.
    pub config: String,
}

/// A language model.
#[derive(Debug)]
pub struct Model {
    path: PathBuf,
    device: Device,
    llama: Llama,
    tokenizer: Arc<Tokenizer>,
    chat: Chat,
    /// What lies beside the weights, where the model comes from a folder.
    origin: Option<Origin>,
    /// What its files say of decoding.
    said: Said,
    /// What the files name, and what is written with the model.
    own_stop_ids: Vec<u32>,
    /// These, and what ends a turn in the template that is used.
    stop_ids: Vec<u32>,
    digests: Digests,
    adapter_digest: Option<String>,
    /// What an adapter's modules stand in for, by name.
    replaced: Vec<(String, Tensor)>,
}

impl Model {
    /// Opens a safetensors folder or a `.gguf` file.
    ///
    /// # Errors
    /// A file is missing, damaged, contradicts another, or is of an unknown architecture.
    pub fn open(path: &Path, device: &Device) -> Result<Self> {
        Self::open_as(path, Format::F32, device)
    }

    /// Like [`Model::open`], with the blocks' linear layers in this format. What a folder holds in 4 bits stays so.
    ///
    /// # Errors
    /// See [`Model::open`].
    pub fn open_as(path: &Path, format: Format, device: &Device) -> Result<Self> {
        Self::assemble(path, device, Parts::read(path, Some(format), device)?)
            .map_err(|error| error.context("failed to open model"))
    }

    /// Everything but the weights, whose names and shapes are checked: to plan with. What computes with it gets zeros, and
    /// its weights have no digest.
    ///
    /// # Errors
    /// See [`Model::open`].
    pub fn outline(path: &Path) -> Result<Self> {
        Self::assemble(path, &Device::Cpu, Parts::read(path, None, &Device::Cpu)?)
    }

    fn assemble(path: &Path, device: &Device, parts: Parts) -> Result<Self> {
        let Parts { llama, tokenizer, chat, origin, said, mut stop_ids, digests } = parts;
        if tokenizer.size() > llama.config().vocab_size {
            let (tokens, rows) = (tokenizer.size(), llama.config().vocab_size);
            return Err(Error::data(format!("the tokenizer has {tokens} tokens, the embedding {rows} rows"))
                .hint("tokenizer and weights belong to different models"));
        }
        if stop_ids.is_empty() {
            // Without this a model whose files name no end would never stop.
            let eos = chat.special_tokens.get("eos_token").and_then(Value::as_str);
            stop_ids.extend(eos.and_then(|token| tokenizer.id(token)));
        }
        stop_ids.sort_unstable();
        stop_ids.dedup();
        Ok(Self {
            path: path.to_owned(),
            device: device.clone(),
            llama,
            tokenizer: Arc::new(tokenizer),
            chat,
            origin,
            said,
            own_stop_ids: stop_ids.clone(),
            stop_ids,
            digests,
            adapter_digest: None,
            replaced: Vec::new(),
        })
    }

    /// Where the model was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its tensors live.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The decoder.
    pub fn llama(&self) -> &Llama {
        &self.llama
    }

    /// The decoder, to be changed.
    pub fn llama_mut(&mut self) -> &mut Llama {
        &mut self.llama
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> Arc<dyn language_model::Tokenizer> {
        self.tokenizer.clone()
    }

    /// The `tokenizer.json`.
    pub(crate) fn tokenizer_json(&self) -> &[u8] {
        self.tokenizer.json()
    }

    /// Writes conversations by other files than the model's own, as an adapter's: they are saved with it too.
    pub fn set_chat(&mut self, chat: Chat) {
        self.chat = chat;
    }

    /// The tokenizer, with what models alone need of it.
    pub(crate) fn own_tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The texts of the special tokens, the longest first.
    pub fn specials(&self) -> Vec<String> {
        self.tokenizer.specials()
    }

    /// The id of a token, by its text.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.tokenizer.id(token)
    }

    /// What a token stands for, to be read; special ones by their names.
    pub fn shown(&self, id: u32) -> String {
        self.tokenizer.shown(id)
    }

    /// The chat template that came with the model, if there is one that needs no name.
    pub fn chat_template(&self) -> Option<&str> {
        self.chat.templates.get(DEFAULT)
    }

    /// All chat templates that came with the model.
    pub fn chat_templates(&self) -> &ChatTemplates {
        &self.chat.templates
    }

    /// Chat templates and special tokens.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// The special tokens' texts by their names: `bos_token`, `eos_token`, …
    pub fn special_tokens(&self) -> Map<String, Value> {
        self.chat.special_tokens.clone()
    }

    /// The tokens that end a generation, sorted: those that transformers stops at, and those of [`Model::end_turns`].
    pub fn stop_ids(&self) -> &[u32] {
        &self.stop_ids
    }

    /// Makes the tokens that end a turn in the chat template that is used end a generation. They are the template's, not
    /// the model's: they are not written with it.
    pub fn end_turns(&mut self, ids: impl IntoIterator<Item = u32>) {
        self.stop_ids.extend(ids);
        self.stop_ids.sort_unstable();
        self.stop_ids.dedup();
    }

    /// What the model's files do to its logits before a token is chosen.
    ///
    /// # Errors
    /// They ask for what is not supported, or has no meaning.
    pub fn rules(&self) -> Result<Rules> {
        Rules::read(&self.said, self.llama.config().vocab_size)
    }

    /// The fields of the model's files that make its answers others than plain decoding does.
    pub fn changed_decoding(&self) -> Vec<String> {
        self.said.changing()
    }

    /// Refuses to train a model of which transformers drops a share of attention in training: here nothing is dropped.
    pub fn refuse_attention_dropout(&self) -> Result<()> {
        let said = self.origin.as_ref().and_then(|origin| origin.config.get(DROPOUT)?.as_f64());
        match said.filter(|share| *share != 0.0) {
            None => Ok(()),
            Some(share) => {
                Err(Error::data(format!("`{DROPOUT}` in config.json is {share}, which is not supported in training"))
                    .hint("set it to 0 there to train without; answers do not depend on it"))
            }
        }
    }

    /// Whether the weights have a head of their own although `config.json` calls it tied to the embedding: as in
    /// transformers, the head in the file is then used.
    pub fn unties(&self) -> bool {
        let said = self.origin.as_ref().and_then(|origin| Config::from_json(&origin.config.clone().into()).ok());
        said.is_some_and(|config| config.tied) && !self.llama.config().tied
    }

    /// The files beside the weights, where the model comes from a folder.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The tokens that end a generation by the model's own files, sorted.
    pub(crate) fn own_stop_ids(&self) -> &[u32] {
        &self.own_stop_ids
    }

    /// The first special token in `text`, where there is one.
    ///
    /// # Errors
    /// The tokenizer fails.
    pub fn first_special(&self, text: &str) -> Result<Option<u32>> {
        let ids = language_model::Tokenizer::encode(self.tokenizer.as_ref(), text)?;
        Ok(ids.into_iter().find(|id| self.tokenizer.is_special(*id)))
    }

    /// The digests of the files.
    pub fn digests(&self) -> &Digests {
        &self.digests
    }

    /// The number of parameters, adapters left out.
    pub fn parameters(&self) -> u64 {
        self.llama.parameter_count()
    }

    /// The longest sequence in tokens.
    pub fn context_length(&self) -> usize {
        self.llama.config().context_length()
    }

    /// The digest of the adapter that is attached.
    pub fn adapter_digest(&self) -> Option<&str> {
        self.adapter_digest.as_deref()
    }

    /// Notes the digest of an adapter that has been attached to the decoder.
    pub fn set_adapter_digest(&mut self, digest: Option<String>) {
        self.adapter_digest = digest;
    }

    /// Puts an adapter's own `lm_head` or `model.embed_tokens` in the place of the base's. Where these are tied, the
    /// embedding is the head too.
    pub fn replace_module(&mut self, name: &str, weight: Tensor) {
        if let Some(before) = self.llama.replace_module(name, weight) {
            self.replaced.push((name.to_owned(), before));
        }
    }

    /// Takes an adapter's modules back out.
    pub(crate) fn restore_modules(&mut self) {
        for (name, weight) in std::mem::take(&mut self.replaced).into_iter().rev() {
            self.llama.replace_module(&name, weight);
        }
    }

    /// A model with random parameters, to be trained from scratch: see [`Llama::init`]. `ends` are the tokens that end a
    /// generation.
    ///
    /// # Errors
    /// The tokenizer has more tokens than the embedding has rows, or the configuration contradicts itself.
    pub fn init(
        config: Config,
        tokenizer: tokenizers::Tokenizer,
        chat_template: Option<String>,
        ends: &[u32],
        seed: u64,
    ) -> Result<Self> {
        let llama = Llama::init(config, seed)?;
        let mut model = Self::of(llama, &format!("random, seed {seed}"), tokenizer, chat_template)?;
        model.own_stop_ids = ends.to_vec();
        model.end_turns(ends.iter().copied());
        Ok(model)
    }

    /// A model of a decoder that comes from no file. `origin` says where its parameters come from: it takes the place of
    /// the weights in their digest.
    ///
    /// # Errors
    /// The tokenizer has more tokens than the embedding has rows.
    pub fn of(
        llama: Llama,
        origin: &str,
        tokenizer: tokenizers::Tokenizer,
        chat_template: Option<String>,
    ) -> Result<Self> {
        let fail = |source| Error::data("failed to write the tokenizer as JSON").because(source);
        let tokenizer = Tokenizer::from_json(tokenizer.to_string(true).map_err(fail)?.into_bytes())?;
        let digests = Digests {
            weights: digest::of_bytes(origin.as_bytes()),
            tokenizer: digest::of_bytes(tokenizer.json()),
            config: digest::of_bytes(llama.config().to_json().to_string().as_bytes()),
        };
        let (stop_ids, device) = (Vec::new(), llama.device().clone());
        let chat = Chat { templates: ChatTemplates::only(chat_template), ..Chat::default() };
        let parts = Parts { llama, tokenizer, chat, origin: None, said: Said::default(), stop_ids, digests };
        Self::assemble(Path::new("random"), &device, parts)
    }
}
