use super::{Finding, Judgement, Plan, Segment, findings, judgements, plan, prompts, segments};
use crate::Case;
use serde_json::{Value, json};

fn case(expect: Value) -> Case {
    let case = json!({"name": "a", "capability": "evaluator", "input": {}, "expect": expect});
    Case::read(&case.to_string()).expect("a case").remove(0)
}

fn scored(value: f64) -> Judgement {
    Judgement { outcome: Ok(vec![("m".into(), value)]), notes: vec![("why".into(), "because".into())] }
}

#[test]
fn measures_are_the_same_names_with_the_same_values() {
    assert_eq!(judgements(&case(json!([{"scored": {"m": 1}}])), &[scored(1.0 + 1e-10)]), Ok(()));
    for expect in [json!([{"scored": {"m": 0.5}}]), json!([{"scored": {"n": 1}}]), json!([{"scored": {}}]), json!([])] {
        assert!(judgements(&case(expect.clone()), &[scored(1.0)]).is_err(), "{expect}");
    }
    let twice = Judgement { outcome: Ok(vec![("m".into(), 1.0), ("m".into(), 1.0)]), notes: Vec::new() };
    assert!(judgements(&case(json!([{"scored": {"m": 1, "n": 1}}])), &[twice]).is_err(), "a measure given twice");
}

#[test]
fn reasons_and_notes_contain_a_text() {
    let unscored = Judgement { outcome: Err("the answer is empty".into()), notes: Vec::new() };
    assert_eq!(judgements(&case(json!([{"unscored": "empty"}])), std::slice::from_ref(&unscored)), Ok(()));
    assert!(judgements(&case(json!([{"unscored": "full"}])), std::slice::from_ref(&unscored)).is_err());
    assert!(judgements(&case(json!([{"scored": {}}])), &[unscored]).is_err());
    let note = |text: &str| case(json!([{"scored": {"m": 1}, "notes": {"why": text}}]));
    assert_eq!(judgements(&note("cause"), &[scored(1.0)]), Ok(()));
    assert!(judgements(&note("other"), &[scored(1.0)]).is_err());
}

#[test]
fn every_finding_is_expected_once() {
    let found = |line| Finding {
        rule: "r".into(),
        split: "train".into(),
        line,
        severity: "error",
        path: String::new(),
        message: "a long message".into(),
        hint: String::new(),
    };
    let expected = case(json!([{"rule": "r", "line": 1, "message": "long"}, {"rule": "r", "line": 2}]));
    assert_eq!(findings(&expected, vec![found(2), found(1)]), Ok(()));
    assert!(findings(&expected, vec![found(1)]).is_err(), "one is missing");
    assert!(findings(&expected, vec![found(1), found(2), found(2)]).is_err(), "one too many");
    assert!(findings(&case(json!([{"rule": "r", "line": 1, "severity": "note"}])), vec![found(1)]).is_err());
}

#[test]
fn renderings_are_joined_before_they_are_compared() {
    let piece = |text: &str, learn| Segment { text: text.into(), learn };
    let given = [vec![piece("a", false), piece("b", false), piece("", true), piece("c", true)]];
    assert_eq!(segments(&case(json!(["abc"])), &given), Ok(()));
    let pieces = json!([[{"text": "ab", "learn": false}, {"text": "c", "learn": true}]]);
    assert_eq!(segments(&case(pieces), &given), Ok(()));
    assert!(segments(&case(json!([[{"text": "abc", "learn": true}]])), &given).is_err());
    assert!(segments(&case(json!([[{"text": "abc", "learned": true}]])), &given).is_err(), "an unknown key");
    assert_eq!(prompts(&case(json!(["p"])), &["p".into()]), Ok(()));
    assert!(prompts(&case(json!(["p"])), &["q".into()]).is_err());
}

#[test]
fn plans_are_equal() {
    let text = r#"{"name": "a", "capability": "evaluator", "input": {}, "plan": [{"completions": 1}]}"#;
    let case = Case::read(text).expect("a case").remove(0);
    let one = |completions| [Plan { completions, continuations: Vec::new() }];
    assert_eq!(plan(&case, &one(1)), Ok(()));
    assert!(plan(&case, &one(2)).is_err());
}

#[test]
fn what_is_no_expectation_is_said_with_its_place() {
    let error = judgements(&case(json!([{"score": {}}])), &[scored(1.0)]).expect_err("an unknown key");
    assert!(error.starts_with("`expect`: entry 1: unknown field `score`"), "{error}");
    let error = judgements(&case(json!({"scored": {}})), &[scored(1.0)]).expect_err("no list");
    assert!(error.starts_with("`expect`: invalid type: map"), "{error}");
}
