//! Checks against golden values of IFEval's own JSON check, which `tests/oracles/ifeval_json.py` collected.

#![allow(clippy::unwrap_used)]

use diapason_plugin::json::{self, Choice};
use serde_json::Value;

#[test]
fn what_ifeval_takes_for_json() {
    let golden: Vec<Value> = serde_json::from_str(include_str!("ifeval.json")).unwrap();
    assert!(golden.len() > 20);
    for case in golden {
        let (text, accepted, prose) =
            (case[0].as_str().unwrap(), case[1].as_bool().unwrap(), case[2].as_bool().unwrap());
        let found = json::find(text, Choice::Only, None).is_ok();
        // A document with prose around it is none to IFEval; here that is the measure `json-only`.
        assert_eq!(found, accepted || prose, "{text}");
    }
}
