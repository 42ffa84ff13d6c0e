//! Made-up logits before and after transformers' processors: `tests/oracles/decoding.py`.
#![allow(clippy::unwrap_used)]

use super::*;
use serde::Deserialize;
use serde_json::Value;
use std::path::PathBuf;

/// What was generated so far, the logits, and what is left of them.
type Processed = (Vec<u32>, Vec<f32>, Vec<Option<f32>>);

#[derive(Deserialize)]
struct Golden {
    logits: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    fields: Value,
    ends: Vec<u32>,
    prompt: Vec<u32>,
    /// New tokens, logits before, logits after.
    moments: Vec<Processed>,
}

fn said(fields: &Value) -> Said {
    Said::of_text(PathBuf::from("generation_config.json"), fields.to_string(), false).unwrap()
}

#[test]
fn logits_are_changed_as_in_transformers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/decoding.json");
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(golden.logits.len(), 72);
    for Case { fields, ends, prompt, moments } in golden.logits {
        let max_tokens = moments.len();
        for (new, before, after) in moments {
            let rules = Rules::read(&said(&fields), before.len()).unwrap();
            let (mut logits, ids) = (before.clone(), [prompt.clone(), new.clone()].concat());
            let at = Moment { ids: &ids, prompt: prompt.len(), max_tokens, ends: &ends, draws: false };
            // transformers would go on with a token that it forbids.
            if after.iter().all(Option::is_none) {
                rules.apply(&mut logits, &at).unwrap_err();
                continue;
            }
            rules.apply(&mut logits, &at).unwrap();
            for (found, expected) in logits.iter().zip(after.into_iter().map(|after| after.unwrap_or(NEVER))) {
                let close = *found == expected || (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
                assert!(close, "{fields} {prompt:?} {new:?}: {found} for {expected}");
            }
        }
    }
}

#[test]
fn ends_beyond_the_vocabulary_are_passed_over() {
    let fields = serde_json::json!({"min_new_tokens": 3, "exponential_decay_length_penalty": [0, 2.0]});
    let rules = Rules::read(&said(&fields), 4).unwrap();
    let mut logits = vec![1.0, 2.0, 3.0, 4.0];
    rules.apply(&mut logits, &Moment { ids: &[1, 2], prompt: 1, max_tokens: 5, ends: &[2, 99], draws: true }).unwrap();
    assert_eq!(logits, [1.0, 2.0, NEVER, 4.0]);
}
