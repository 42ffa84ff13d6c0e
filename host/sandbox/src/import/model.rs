//! `model`: the judge model. Its time is not the plugin's.

use crate::bindings::diapason::plugin::model::{self as wit, Host};
use crate::state::State;
use crate::translate::{completion_to_wit, likelihood_to_wit, message_from_wit};
use diapason_core::language_model::{Decoding, Judge};
use diapason_core::sample::Message;
use std::sync::PoisonError;

/// New tokens of one completion of the judge.
const MAX_TOKENS: u32 = 8192;

impl Host for State {
    fn generate(
        &mut self,
        conversations: Vec<Vec<wit::Message>>,
        decoding: wit::Decoding,
    ) -> wasmtime::Result<Result<Vec<wit::Completion>, String>> {
        self.pass(conversations.iter().flatten().map(size))?;
        Ok(self.judge(|judge| {
            let decoding = decoding_from_wit(decoding)?;
            let conversations = conversations.into_iter().map(messages_from_wit).collect::<Result<Vec<_>, _>>()?;
            let completions = judge.generate(&conversations, &decoding).map_err(|error| error.to_string())?;
            Ok(completions.iter().map(completion_to_wit).collect())
        }))
    }

    fn loglikelihood(
        &mut self,
        continuations: Vec<wit::Continuation>,
    ) -> wasmtime::Result<Result<Vec<wit::Likelihood>, String>> {
        self.pass(continuations.iter().flat_map(|item| item.messages.iter().map(size).chain([item.text.len()])))?;
        Ok(self.judge(|judge| {
            let pairs = continuations.into_iter().map(|item| Ok((messages_from_wit(item.messages)?, item.text)));
            let pairs = pairs.collect::<Result<Vec<_>, String>>()?;
            let likelihoods = judge.loglikelihood(&pairs).map_err(|error| error.to_string())?;
            Ok(likelihoods.iter().map(likelihood_to_wit).collect())
        }))
    }
}

impl State {
    fn judge<R>(&mut self, work: impl FnOnce(&mut dyn Judge) -> Result<R, String>) -> Result<R, String> {
        self.host(|grants| {
            let judge = grants.judge.as_deref().ok_or("no judge model was granted")?;
            // A judge that panicked on another thread is asked again: it answers or panics for itself.
            work(&mut *judge.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }
}

fn size(message: &wit::Message) -> usize {
    message.role.len() + message.content.len() + message.extra.as_ref().map_or(0, String::len)
}

fn messages_from_wit(messages: Vec<wit::Message>) -> Result<Vec<Message>, String> {
    messages.into_iter().map(message_from_wit).collect()
}

/// The seed is the host's: a plugin has no randomness of its own, not even through the judge.
fn decoding_from_wit(decoding: wit::Decoding) -> Result<Decoding, String> {
    if !(decoding.temperature.is_finite() && decoding.temperature >= 0.0) {
        return Err(format!("temperature {}, expected a finite number from 0", decoding.temperature));
    }
    if decoding.max_tokens > MAX_TOKENS {
        return Err(format!("max-tokens {}, at most {MAX_TOKENS} are made", decoding.max_tokens));
    }
    Ok(Decoding {
        max_tokens: decoding.max_tokens as usize,
        temperature: decoding.temperature,
        stop: decoding.stop,
        ..Decoding::default()
    })
}
