//! `diapason generate`: one prompt or one conversation, the completion alone on standard output.

use super::conversation;
use crate::args::Generate;
use crate::exit::Exit;
use crate::ui::Ui;
use crate::wire::{self, Plugins, Renderer, origin};
use diapason_core::config::{Limits, Template};
use diapason_core::event::{Event, Sink as _};
use diapason_core::language_model::{Completion, Decoding, LanguageModel as _};
use diapason_core::sample::Conversation;
use diapason_core::{Error, Result};
use diapason_engine::Local;
use diapason_models::Model;
use diapason_models::formats::Format;
use diapason_nn::device::is_gpu;
use diapason_sandbox::Grants;
use serde_json::json;

pub(super) fn run(arguments: &Generate, ui: &Ui) -> Result<Exit> {
    // What is wrong with the conversation is said before a model is opened.
    let asked = if arguments.raw { None } else { Some(conversation::read(arguments)?) };
    let mut model = wire::open(&arguments.model, Format::of_use(is_gpu(&arguments.device)), &arguments.device)?;
    if let Some(message) = wire::untied(&model) {
        ui.emit(&Event::Warning { message });
    }
    if let Some(adapter) = &arguments.adapter {
        model.attach_adapter(adapter)?;
    }
    let prompt = match &asked {
        None => arguments.prompt.clone().unwrap_or_default(),
        Some(asked) => render(arguments, asked, &mut model, ui)?,
    };
    let decoding = Decoding {
        max_tokens: arguments.max_tokens as usize,
        temperature: arguments.temperature,
        seed: arguments.seed,
        ..Decoding::default()
    };
    if let Some(message) = wire::left_out(&arguments.model).filter(|_| arguments.temperature > 0.0) {
        ui.emit(&Event::Warning { message });
    }
    let completion = Local::new(&model).generate(std::slice::from_ref(&prompt), &decoding, &mut |_| {})?.pop();
    let Some(Completion { text, tokens, finish }) = completion else {
        return Err(Error::run("the model gave no completion"));
    };
    ui.result(|_| format!("{text}\n"), &json!({"prompt": prompt, "text": text, "tokens": tokens, "finish": finish}));
    Ok(Exit::Passed)
}

fn render(arguments: &Generate, asked: &Conversation, model: &mut Model, ui: &Ui) -> Result<String> {
    let adapter = arguments.adapter.as_deref();
    let mut template = Template { template: arguments.template.clone(), ..Template::default() };
    let name = arguments.template_name.iter().map(|name| (wire::TEMPLATE_NAME.to_owned(), name.as_str().into()));
    template.settings.extend(name);
    let said = adapter.map(|adapter| origin::prefer(&mut template, model.chat(), adapter)).transpose()?.flatten();
    let mut plugins = Plugins::new(&Limits::default(), ui)?;
    let mut renderer =
        Renderer::new(&template, adapter, &mut plugins, model, &Grants::default()).map_err(in_arguments)?;
    renderer.end_turns(model)?;
    let prompt = if arguments.continues {
        renderer.continued(asked)?
    } else {
        renderer.prompts(std::slice::from_ref(asked))?.pop().unwrap_or_default()
    };
    for message in said.into_iter().chain(renderer.notes()) {
        ui.emit(&Event::Warning { message });
    }
    Ok(prompt)
}

/// An error about a configuration, which here is the command line.
fn in_arguments(error: Error) -> Error {
    let hint = error.hint_text().map(|hint| {
        hint.replace("set `template.template` to", "pass `--raw`, or `--template` with")
            .replace("set `template_name` in `template.settings` to", "pass `--template-name` with")
    });
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
