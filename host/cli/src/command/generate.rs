//! `diapason generate`: one prompt, the completion alone on standard output.

use crate::args::Generate;
use crate::exit::Exit;
use crate::ui::Ui;
use crate::wire::{self, Plugins, Renderer};
use diapason_core::config::{Limits, Template};
use diapason_core::language_model::{Completion, Decoding, LanguageModel as _};
use diapason_core::sample::{Conversation, Message};
use diapason_core::{Error, Result};
use diapason_model::Model;
use diapason_model::device::is_gpu;
use diapason_model::weights::Format;
use diapason_sandbox::Grants;
use serde_json::json;

pub(super) fn run(arguments: &Generate, ui: &Ui) -> Result<Exit> {
    let mut model = wire::open(&arguments.model, Format::of_use(is_gpu(&arguments.device)), &arguments.device)?;
    if let Some(adapter) = &arguments.adapter {
        model.attach_adapter(adapter)?;
    }
    let prompt = match arguments.raw {
        true => arguments.prompt.clone(),
        false => render(arguments, &mut model, ui)?,
    };
    let decoding = Decoding {
        max_tokens: arguments.max_tokens as usize,
        temperature: arguments.temperature,
        seed: arguments.seed,
        ..Decoding::default()
    };
    let completion = model.generate(&[prompt], &decoding, &mut |_| {})?.pop();
    let Some(Completion { text, tokens, finish }) = completion else {
        return Err(Error::run("the model gave no completion"));
    };
    ui.result(|_| format!("{text}\n"), &json!({"text": text, "tokens": tokens, "finish": finish}));
    Ok(Exit::Passed)
}

fn render(arguments: &Generate, model: &mut Model, ui: &Ui) -> Result<String> {
    let system = arguments.system.iter().map(|text| Message::new("system", text));
    let messages = system.chain([Message::new("user", &arguments.prompt)]).collect();
    let template = Template { template: arguments.template.clone(), ..Template::default() };
    let mut plugins = Plugins::new(&Limits::default(), ui)?;
    let mut renderer = Renderer::new(&template, &mut plugins, model, &Grants::default()).map_err(|error| {
        let hint = error
            .hint_text()
            .map(|hint| hint.replace("set `template.template` to", "pass `--raw`, or `--template` with"));
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })?;
    renderer.end_turns(model)?;
    let prompts = renderer.prompts(&[Conversation { messages, ..Conversation::default() }])?;
    prompts.into_iter().next().ok_or_else(|| Error::plugin("the chat template gave no prompt"))
}
