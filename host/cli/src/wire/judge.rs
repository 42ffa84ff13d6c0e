//! What plugins are granted that import `tokenizer` or `model`: opened at the first call, because few plugins do.

use super::{Plugins, Renderer, open};
use crate::plan::Plan;
use crate::ui::Ui;
use diapason_core::Result;
use diapason_core::language_model::{Completion, Decoding, Judge, LanguageModel as _, Likelihood, Tokenizer};
use diapason_core::sample::{Conversation, Message};
use diapason_engine::Local;
use diapason_models::Model;
use diapason_models::formats::Format;
use diapason_nn::device::is_gpu;
use diapason_sandbox::Grants;
use std::sync::{Arc, Mutex, PoisonError};

/// The base model as a judge.
pub(crate) struct LateJudge {
    plan: Plan,
    ui: Ui,
    opened: Option<(Model, Renderer)>,
}

impl LateJudge {
    /// A judge for this run; opens the model when it is first asked.
    pub(crate) fn new(plan: &Plan, ui: &Ui) -> Self {
        Self { plan: plan.clone(), ui: ui.clone(), opened: None }
    }

    fn opened(&mut self) -> Result<&mut (Model, Renderer)> {
        if self.opened.is_none() {
            let config = &self.plan.config;
            let base = config.base().map_err(|error| error.context("a plugin asks for the model"))?;
            let format = Format::of_model(base, is_gpu(&base.device));
            let mut model = open(&base.path, format, &base.device)?;
            let mut plugins = Plugins::new(&config.limits, &self.ui)?;
            let mut renderer =
                Renderer::new(&config.template, config.adapter(), &mut plugins, &model, &Grants::default())?;
            renderer.end_turns(&mut model)?;
            self.opened = Some((model, renderer));
        }
        self.opened.as_mut().ok_or_else(|| diapason_core::Error::run("the judge was not opened"))
    }
}

impl Judge for LateJudge {
    fn generate(&mut self, conversations: &[Vec<Message>], decoding: &Decoding) -> Result<Vec<Completion>> {
        let (model, renderer) = self.opened()?;
        let prompts =
            renderer.prompts(&conversations.iter().map(|messages| conversation(messages)).collect::<Vec<_>>())?;
        Local::new(model).generate(&prompts, decoding, &mut |_| {})
    }

    fn loglikelihood(&mut self, continuations: &[(Vec<Message>, String)]) -> Result<Vec<Likelihood>> {
        let (model, renderer) = self.opened()?;
        let conversations: Vec<_> = continuations.iter().map(|(messages, _)| conversation(messages)).collect();
        let prompts = renderer.prompts(&conversations)?;
        let pairs: Vec<_> = prompts.into_iter().zip(continuations.iter().map(|(_, text)| text.clone())).collect();
        Local::new(model).loglikelihood(&pairs, &mut |_| {})
    }
}

fn conversation(messages: &[Message]) -> Conversation {
    Conversation { messages: messages.to_vec(), ..Conversation::default() }
}

/// The base model's tokenizer.
pub(crate) struct LateTokenizer {
    plan: Plan,
    opened: Mutex<Option<Arc<dyn Tokenizer>>>,
}

impl LateTokenizer {
    /// A tokenizer for this run; opens the model when it is first used.
    pub(crate) fn new(plan: &Plan) -> Self {
        Self { plan: plan.clone(), opened: Mutex::new(None) }
    }

    fn opened(&self) -> Result<Arc<dyn Tokenizer>> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        match opened.as_ref() {
            Some(tokenizer) => Ok(tokenizer.clone()),
            None => {
                let config =
                    self.plan.config.base().map_err(|error| error.context("a plugin asks for the tokenizer"))?;
                let tokenizer = open(&config.path, Format::F32, &config.device)?.tokenizer();
                *opened = Some(tokenizer.clone());
                Ok(tokenizer)
            }
        }
    }
}

impl Tokenizer for LateTokenizer {
    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.opened()?.encode(text)
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        self.opened()?.decode(ids)
    }
}
