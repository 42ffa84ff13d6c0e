//! Whether a turn is learned: what the libraries call it, read to one key.

use crate::fault::{Fault, Result};
use serde_json::{Map, Value};

/// The key that a turn which is not learned has, with the value 0: OpenAI's.
pub const WEIGHT: &str = "weight";

/// Keys whose value 1 or true says that the turn is learned.
const LEARNS: [&str; 11] = [
    WEIGHT,
    "loss_weight",
    "loss_scale",
    "train",
    "training",
    "learn",
    "loss",
    "loss_mask",
    "step_loss_mask",
    "trainable",
    "learnable",
];

/// Keys that say the contrary.
const MASKS: [&str; 2] = ["masked", "mask"];

/// Keys that mark parts of a turn, which is not offered.
const PARTS: [&str; 4] = ["train_detail", "training_detail", "train_details", "reasoning_content_train_detail"];

/// Whether a key says what is learned.
pub(crate) fn is_key(key: &str) -> bool {
    LEARNS.iter().chain(&MASKS).chain(&PARTS).any(|known| *known == key)
}

/// Takes every such key from `fields`, and puts `weight: 0` there where the turn is an assistant's that is not learned.
pub(crate) fn settle(fields: &mut Map<String, Value>, role: &str, path: &str) -> Result<()> {
    let mut said: Option<(&str, bool)> = None;
    for key in LEARNS.into_iter().chain(MASKS) {
        let Some(value) = fields.shift_remove(key) else { continue };
        let learned = switch(&value).ok_or_else(|| no_switch(key, &value, path))? != MASKS.contains(&key);
        match said {
            Some((other, before)) if before != learned => return Err(contrary(key, other, path)),
            _ => said = Some((key, learned)),
        }
    }
    // Of an empty list Axolotl learns nothing, so that it is no absence.
    if let Some(key) = PARTS.into_iter().find(|key| fields.contains_key(*key)) {
        let message = format!("`{key}` marks parts of a turn as learned");
        let hint = "a turn is learned whole or not at all: split it, or say `weight: 0`";
        return Err(Fault::new("partial-weight", format!("{path}/{key}"), message, hint));
    }
    match said {
        Some((key, true)) if role != "assistant" => {
            let message = format!("`{key}` asks to learn a turn of role {role}");
            Err(Fault::new("wrong-weight", format!("{path}/{key}"), message, "only the assistant's turns are learned"))
        }
        Some((_, false)) if role == "assistant" => {
            fields.insert(WEIGHT.into(), 0.into());
            Ok(())
        }
        _ => Ok(()),
    }
}

/// 1 and true, 0 and false; anything else is no switch.
fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn no_switch(key: &str, value: &Value, path: &str) -> Fault {
    let message = format!("`{key}` is {value}, neither 0 nor 1");
    let hint = "a turn is learned (1, true) or context (0, false); other weights are not offered";
    Fault::new("wrong-weight", format!("{path}/{key}"), message, hint)
}

fn contrary(key: &str, other: &str, path: &str) -> Fault {
    let message = format!("`{key}` and `{other}` say the contrary of each other");
    Fault::new("wrong-weight", format!("{path}/{key}"), message, "keep one of them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settled(fields: Value, role: &str) -> Result<Value> {
        let Value::Object(mut fields) = fields else { panic!("an object") };
        settle(&mut fields, role, "/messages/1").map(|()| Value::Object(fields))
    }

    #[test]
    fn every_spelling_is_read() {
        for fields in [
            json!({"weight": 0}),
            json!({"weight": 0.0}),
            json!({"train": false}),
            json!({"training": false}),
            json!({"loss": 0}),
            json!({"loss_scale": 0.0}),
            json!({"masked": true, "weight": 0}),
            json!({"loss_mask": 0}),
            json!({"trainable": false}),
        ] {
            assert_eq!(settled(fields, "assistant"), Ok(json!({"weight": 0})));
        }
        for fields in [json!({"weight": 1.0}), json!({"train": true}), json!({"mask": false}), json!({})] {
            assert_eq!(settled(fields, "assistant"), Ok(json!({})));
        }
        assert_eq!(settled(json!({"train": false, "name": "x"}), "user"), Ok(json!({"name": "x"})));
    }

    #[test]
    fn what_is_no_switch_is_refused_by_name() {
        for (fields, role, at) in [
            (json!({"weight": 0.5}), "assistant", "/messages/1/weight"),
            (json!({"weight": "0"}), "assistant", "/messages/1/weight"),
            (json!({"weight": 1, "masked": true}), "assistant", "/messages/1/masked"),
            (json!({"train": true}), "user", "/messages/1/train"),
            (json!({"train_detail": [{"begin_offset": 0}]}), "assistant", "/messages/1/train_detail"),
            (json!({"train_detail": []}), "assistant", "/messages/1/train_detail"),
        ] {
            assert_eq!(settled(fields, role).expect_err("refused").path, at);
        }
    }
}
