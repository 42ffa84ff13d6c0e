//! What well-behaved guests are given and give.

use crate::guest::{self, ENGINE, limits, observation, observations, values};
use diapason_core::config::Limits;
use diapason_core::finding::{Finding, Row};
use diapason_core::sample::{Conversation, Message, Sample, Segment};
use diapason_core::score::{Pair, Side};
use diapason_sandbox::{Capability, ChatTemplate, Comparator, Evaluator, Grants, Permission, Plugin, Validator};
use serde_json::{Map, Value, json};

#[test]
fn an_evaluator_scores() {
    let plugin = guest::plugin("guests/exact.wat");
    let mut evaluator = guest::evaluator(&plugin);
    assert_eq!(evaluator.describe().unwrap()[0].name, "m");
    let sample = Sample { id: "a".into(), ..Sample::default() };
    assert_eq!(evaluator.plan(&[sample.clone(), sample]).unwrap()[1].completions, 1);
    let observed = [observation("a", "Paris"), observation("b", "London"), observation("c", "Paris!")];
    assert_eq!(values(&evaluator.score(&observed).unwrap()), [1.0, 0.0, 0.0]);
    assert_eq!(evaluator.score(&[]).unwrap(), []);
}

#[test]
fn a_plugin_says_who_it_is() {
    let plugin = guest::plugin("guests/exact.wat");
    assert_eq!((plugin.id(), plugin.version(), plugin.summary()), ("test-guest", "1.2.3", "A guest for tests."));
    assert_eq!(plugin.settings_schema()["properties"]["k"]["type"], "integer");
    assert_eq!(plugin.capabilities(), [Capability::Evaluator]);
    assert_eq!(plugin.permissions(), [] as [Permission; 0]);
    assert_eq!(plugin.sha256(), diapason_core::digest::of_bytes(&guest::module("guests/exact.wat")));
}

#[test]
fn many_batches_are_as_one_by_one() {
    let plugin = guest::plugin("guests/exact.wat");
    let mut observed = observations(700);
    for index in (0..700).step_by(3) {
        observed[index].completions[0].text = "Rome".into();
    }
    let together = guest::evaluator(&plugin).score(&observed).unwrap();
    let mut alone = guest::evaluator(&plugin);
    let apart: Vec<_> = observed.iter().flat_map(|one| alone.score(std::slice::from_ref(one)).unwrap()).collect();
    assert_eq!(together, apart);
    assert_eq!(values(&together).iter().sum::<f64>(), 466.0);
}

/// About 100,000 instructions a sample: 300 samples fit into no single budget, but into budgets that grow with them.
#[test]
fn fuel_grows_with_the_number_of_samples() {
    let load = |fuel| {
        let limits = Limits { fuel, ..limits() };
        Plugin::from_bytes(&ENGINE, "busy", &guest::module("guests/busy.wat"), &limits).unwrap()
    };
    let enough = load(110_000);
    assert_eq!(guest::evaluator(&enough).score(&observations(300)).unwrap().len(), 300);
    let little = load(20_000);
    let error = guest::evaluator(&little).score(&observations(300)).unwrap_err().to_string();
    assert!(error.contains("score at sample a0: out of fuel: it did not end within 40000"), "{error}");
    let repeated = guest::evaluator(&little).score(&observations(300)).unwrap_err().to_string();
    assert_eq!(error, repeated, "fuel is deterministic");
}

#[test]
fn settings_are_checked_before_any_call() {
    let plugin = guest::plugin("guests/exact.wat");
    let open = |settings: Value| Evaluator::new(&plugin, settings.as_object().unwrap(), &Grants::default()).map(drop);
    open(json!({"k": 3})).unwrap();
    let error = open(json!({"k": "three"})).unwrap_err();
    assert!(error.to_string().contains("invalid settings of plugin test-guest"), "{error}");
    assert_eq!(error.class(), diapason_core::Class::Config);
    assert!(open(json!({"kk": 3})).is_err());
}

#[test]
fn a_plugin_is_not_used_as_what_it_is_not() {
    let plugin = guest::plugin("guests/exact.wat");
    let error = Comparator::new(&plugin, &Map::new(), &Grants::default()).map(drop).unwrap_err().to_string();
    assert_eq!(error, "plugin test-guest 1.2.3 cannot be used as comparator: it exports evaluator only");
}

fn load(file: &str, world: &str) -> Plugin {
    Plugin::from_bytes(&ENGINE, file, &guest::module_of(file, world), &limits()).unwrap()
}

#[test]
fn a_comparator_sees_both_sides() {
    let plugin = load("guests/comparator.wat", "comparator-plugin");
    let mut comparator = Comparator::new(&plugin, &Map::new(), &Grants::default()).unwrap();
    let pair = |id: &str, reference: usize, candidate: usize| {
        let side = |n| Side { completions: vec![observation("", "x").completions[0].clone(); n], measures: Vec::new() };
        Pair { sample: observation(id, "").sample, reference: side(reference), candidate: side(candidate) }
    };
    let pairs = [pair("a", 1, 3), pair("b", 2, 0)];
    assert_eq!(values(&comparator.compare(&pairs).unwrap()), [2.0, -2.0]);
    let error = comparator.compare(&[pair("a", 1, 1), pair("x7", 1, 1)]).unwrap_err().to_string();
    assert!(
        error.starts_with("plugin test-guest 1.2.3 failed in comparator.compare at sample x7: it panicked"),
        "{error}"
    );
}

#[test]
fn a_chat_template_renders() {
    let plugin = load("guests/template.wat", "chat-template-plugin");
    let mut template = ChatTemplate::new(&plugin, &Map::new(), &Grants::default()).unwrap();
    let conversation =
        |text: &str| Conversation { messages: vec![Message::new("user", text)], ..Conversation::default() };
    let conversations = [conversation("Grüße"), conversation("hello")];
    assert_eq!(template.render_prompt(&conversations).unwrap(), ["Grüße", "hello"]);
    let segments = template.render_training(&conversations).unwrap();
    assert_eq!(segments[1], [Segment { text: "hello".into(), learn: true }]);
    let error = template.render_training(&[conversation("a"), conversation("b"), conversation("xyz")]).unwrap_err();
    assert!(error.to_string().contains("chat-template.render-training at conversation 3: it panicked"), "{error}");
    assert_eq!(template.render_prompt(&conversations).unwrap().len(), 2, "a fresh instance after a trap");
}

fn row(line: u32, text: &str) -> Row {
    Row { split: "train".into(), line, text: text.into() }
}

fn validator() -> Validator {
    let plugin = load("guests/validator.wat", "validator-plugin");
    assert_eq!(plugin.capabilities(), [Capability::Validator]);
    Validator::new(&plugin, &Map::new(), &Grants::default()).unwrap()
}

#[test]
fn a_validator_keeps_its_pass_over_batches() {
    let mut validator = validator();
    let rows: Vec<_> = (1..=200).map(|line| row(line, if line % 50 == 0 { "f" } else { "a" })).collect();
    let findings = validator.push(&rows).unwrap();
    assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [50, 100, 150, 200]);
    let Finding { validator: id, split, rule, .. } = &findings[0];
    assert_eq!((id.as_str(), split.as_str(), rule.as_str()), ("test-guest", "train", "m"));
    // What the guest says in the end is of no split, and its line is how many rows it was given.
    let rest = [201, 202, 203].map(|line| Row { split: String::new(), ..row(line, "a") });
    assert_eq!(validator.push(&rest).unwrap(), []);
    assert_eq!(validator.finish().unwrap()[0].line, 203);
}

#[test]
fn a_validators_error_names_the_row() {
    let trapped = validator().push(&[row(1, "a"), row(2, "xa"), row(3, "a")]).unwrap_err();
    assert!(trapped.to_string().contains("validator.push at train line 2: it panicked"), "{trapped}");
    let refused = validator().push(&[row(1, "a"), row(2, "a"), row(3, "q")]).unwrap_err();
    assert!(refused.to_string().ends_with("validator.push at train line 3: refused"), "{refused}");
}
