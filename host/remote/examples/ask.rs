//! One question to a server: what it says of itself, its answer, and what that took.
//!
//!     cargo run --release -p diapason-remote --example ask -- http://127.0.0.1:8080/v1 MODEL QUESTION

// An example speaks to whoever runs it.
#![allow(clippy::print_stdout)]

use diapason_core::arm::Arm;
use diapason_core::config::Endpoint;
use diapason_core::engine::{Engine, Prompt, Request, Wanted};
use diapason_core::language_model::Decoding;
use diapason_core::sample::{Conversation, Message};
use diapason_core::{Error, Result};
use diapason_remote::Remote;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, model, question] = arguments.as_slice() else {
        return Err(Error::config("expected URL, MODEL and QUESTION"));
    };
    let endpoint = serde_json::from_value::<Endpoint>(serde_json::json!({"url": url, "model": model}));
    let endpoint = endpoint.map_err(|source| Error::config("not an endpoint").because(source))?;
    let mut remote = Remote::open(&endpoint, None, &|name| std::env::var_os(name))?;
    println!("{:#?}", remote.origin()?);
    let conversation = Conversation { messages: vec![Message::new("user", question)], ..Conversation::default() };
    let request = Request {
        arm: &Arm::from("server"),
        name: "the question",
        prompt: Prompt { conversation: Some(&conversation), text: None },
        wanted: Wanted::Completion { decoding: &Decoding::default(), stream: 0 },
    };
    for answer in remote.answers(&[request])? {
        println!("{answer:#?}");
    }
    println!("{:#?}", remote.spent());
    Ok(())
}
