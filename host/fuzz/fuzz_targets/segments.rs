//! Memory of a guest, given back as prompts and as segments.

#![no_main]

#[path = "../guest.rs"]
mod guest;

use diapason_core::sample::{Conversation, Message};
use diapason_sandbox::{ChatTemplate, Grants, Plugin};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static PLUGIN: LazyLock<Plugin> =
    LazyLock::new(|| guest::load(&guest::text("images-template.wat"), "chat-template-plugin").expect("a plugin"));

fuzz_target!(|bytes: &[u8]| {
    let message = Message::new("user", guest::hexadecimal(bytes));
    let conversation = [Conversation { messages: vec![message], ..Conversation::default() }];
    let mut template = ChatTemplate::new(&PLUGIN, &serde_json::Map::new(), &Grants::default()).expect("a template");
    if let Ok(prompts) = template.render_prompt(&conversation) {
        assert_eq!(prompts.len(), 1);
    }
    if let Ok(texts) = template.render_training(&conversation) {
        assert_eq!(texts.len(), 1);
    }
});
