//! What guests import, and what they get.

use crate::guest::{self, observations, values};
use diapason_core::Result;
use diapason_core::event::Event;
use diapason_core::language_model::{Completion, Decoding, Judge, Likelihood, Tokenizer};
use diapason_core::sample::Message;
use diapason_sandbox::{Evaluator, Grants, Permission};
use serde_json::Map;
use std::sync::{Arc, Mutex};

/// One token a byte.
struct Bytes;

impl Tokenizer for Bytes {
    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        Ok(text.bytes().map(u32::from).collect())
    }

    fn decode(&self, _: &[u32]) -> Result<String> {
        Err(diapason_core::Error::run("not needed here"))
    }
}

/// Finds every answer as unlikely as it is long, and slowly.
struct Slow;

impl Judge for Slow {
    fn generate(&mut self, _: &[Vec<Message>], _: &Decoding) -> Result<Vec<Completion>> {
        Err(diapason_core::Error::run("not needed here"))
    }

    fn loglikelihood(&mut self, continuations: &[(Vec<Message>, String)]) -> Result<Vec<Likelihood>> {
        std::thread::sleep(std::time::Duration::from_millis(400));
        let likelihood =
            |text: &str| Likelihood { logprob: -(text.len() as f64), tokens: 1, bytes: text.len(), greedy: false };
        Ok(continuations.iter().map(|(_, text)| likelihood(text)).collect())
    }
}

#[test]
fn a_tokenizer_that_was_granted_is_used() {
    let plugin = guest::plugin("guests/tokenizes.wat");
    assert_eq!(plugin.permissions(), [Permission::Tokenizer]);
    let grants = Grants { tokenizer: Some(Arc::new(Bytes)), ..Grants::default() };
    let mut evaluator = Evaluator::new(&plugin, &Map::new(), &grants).unwrap();
    assert_eq!(values(&evaluator.score(&observations(2)).unwrap()), [7.0, 7.0]);
}

#[test]
fn what_cannot_be_granted_is_an_error_at_once() {
    for (file, permission) in [("guests/tokenizes.wat", "tokenizer"), ("guests/judges.wat", "model")] {
        let plugin = guest::plugin(file);
        let error = Evaluator::new(&plugin, &Map::new(), &Grants::default()).map(drop).unwrap_err().to_string();
        let expected = format!(
            "failed to start plugin test-guest 1.2.3: it imports {permission}, and this command has none to grant"
        );
        assert_eq!(error, expected);
    }
}

/// The judge takes longer than the plugin may: its time is not counted.
#[test]
fn a_judge_is_called_and_its_time_is_its_own() {
    let limits = diapason_core::config::Limits { seconds: 1, ..guest::limits() };
    let bytes = guest::module("guests/judges.wat");
    let plugin = diapason_sandbox::Plugin::from_bytes(&guest::ENGINE, "judges", &bytes, &limits).unwrap();
    assert_eq!(plugin.permissions(), [Permission::Model]);
    let grants = Grants { judge: Some(Arc::new(Mutex::new(Slow))), ..Grants::default() };
    let mut evaluator = Evaluator::new(&plugin, &Map::new(), &grants).unwrap();
    assert_eq!(values(&evaluator.score(&observations(4)).unwrap()), [-7.0; 4]);
}

#[test]
fn log_lines_arrive_and_are_bounded() {
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let heard = Arc::clone(&events);
    let grants =
        Grants { sink: Arc::new(move |event: &Event| heard.lock().unwrap().push(event.clone())), ..Grants::default() };
    let plugin = guest::plugin("guests/logs.wat");
    assert_eq!(plugin.permissions(), [Permission::Log]);
    Evaluator::new(&plugin, &Map::new(), &grants).unwrap().score(&observations(2)).unwrap();
    let line =
        |message: &str| Event::PluginLog { plugin: "test-guest".into(), level: "warn".into(), message: message.into() };
    let events = events.lock().unwrap();
    assert_eq!(events.len(), 101);
    assert_eq!(events[0], line("A guest for tests."));
    assert_eq!(events[100], line("… and 200 more lines in this call"));
}
