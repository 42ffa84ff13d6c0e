use super::{Mode, conversations, observations, pairs, rows};
use serde_json::json;

#[test]
fn a_sample_s_row_is_all_of_it_but_what_the_model_made() {
    let input = json!({"samples": [
        {"messages": [{"role": "user", "content": "Q", "name": "n"}], "reference": ["a", "b"], "tools": [],
         "completions": ["two words", {"text": "cut", "tokens": 9, "finish": "length"}], "likelihoods": [{"logprob": -1}]},
        {"id": "x", "row": "{}"}
    ]});
    let seen = observations(&input).expect("observations");
    assert_eq!((seen[0].sample.id.as_str(), seen[1].sample.id.as_str()), ("1", "x"));
    assert_eq!(seen[0].sample.reference.as_deref(), Some("a"));
    let row = r#"{"messages":[{"role":"user","content":"Q","name":"n"}],"reference":["a","b"],"tools":[]}"#;
    assert_eq!((seen[0].sample.row.as_str(), seen[1].sample.row.as_str()), (row, "{}"));
    assert_eq!(seen[0].sample.messages[0].extra["name"], "n");
    let completions = &seen[0].completions;
    assert_eq!((completions[0].tokens, completions[0].cut_off), (2, false));
    assert_eq!((completions[1].tokens, completions[1].cut_off), (9, true));
    let likelihood = &seen[0].likelihoods[0];
    assert_eq!((likelihood.tokens, likelihood.bytes, likelihood.greedy), (1, 1, false));
}

#[test]
fn what_is_unknown_or_of_another_type_is_said_with_its_place() {
    for (input, error) in [
        (json!({"samples": [{"id": 1}]}), "`input`: sample 1: invalid type: integer `1`, expected a string"),
        (json!({"samples": [{}, {"answer": "a"}]}), "`input`: sample 2: unknown field `answer`"),
        (
            json!({"samples": [{"completions": [{"txt": "a"}]}]}),
            "`input`: sample 1: `completions`: unknown field `txt`",
        ),
        (json!({"samples": [{"completions": [{"text": "a", "finish": "end"}]}]}), "`input`: sample 1: `completions`"),
        (json!({"samples": [{"likelihoods": [{}]}]}), "`input`: sample 1: `likelihoods`: missing field `logprob`"),
        (json!({"samples": [{"messages": [{"content": "a"}]}]}), "`input`: sample 1: missing field `role`"),
        (json!({"samples": [], "sample": []}), "`input`: unknown field `sample`"),
        (json!([]), "`input`: "),
    ] {
        let given = observations(&input).expect_err(&input.to_string());
        assert!(given.starts_with(error), "{given}");
    }
}

#[test]
fn pairs_have_two_sides() {
    let reference = json!({"measures": {"p.m": 1}});
    let pair = json!({"sample": {"id": "a"}, "reference": reference, "candidate": {"completions": ["b"]}});
    let pairs = pairs(&json!({"pairs": [pair]})).expect("pairs");
    assert_eq!((pairs[0].reference.measures["p.m"], pairs[0].candidate.completions[0].text.as_str()), (1.0, "b"));
    for (pair, unknown) in [
        (json!({"sample": {}, "reference": {}, "candidate": {"scores": {}}}), "scores"),
        (json!({"sample": {}, "base": {}, "tuned": {}}), "base"),
    ] {
        let error = super::pairs(&json!({"pairs": [pair]})).expect_err("an unknown key");
        assert!(error.starts_with(&format!("`input`: pair 1: unknown field `{unknown}`")), "{error}");
    }
}

#[test]
fn rows_are_counted_by_split() {
    let input = json!({"rows": [{"text": "a"}, {"split": "test", "json": {"b": 1, "a": null}}, {"json": null}]});
    let rows = rows(&input).expect("rows");
    let seen: Vec<_> = rows.iter().map(|row| (row.split.as_str(), row.line, row.text.as_str())).collect();
    assert_eq!(seen, [("train", 1, "a"), ("test", 1, r#"{"b":1,"a":null}"#), ("train", 2, "null")]);
    assert!(super::rows(&json!({"rows": [{"text": "a", "json": 1}]})).is_err());
}

#[test]
fn content_that_is_no_text_stands_among_the_other_fields() {
    let turn = |content| json!({"conversations": [{"messages": [content]}], "mode": "prompt"});
    for (message, extra) in [
        (json!({"role": "user", "content": "a"}), json!({})),
        (json!({"role": "assistant", "content": null, "tool_calls": []}), json!({"tool_calls": [], "content": null})),
        (json!({"role": "assistant"}), json!({"content": null})),
        (json!({"role": "user", "content": [1]}), json!({"content": [1]})),
    ] {
        let (conversations, mode) = conversations(&turn(message)).expect("conversations");
        assert_eq!((json!(conversations[0].messages[0].extra), mode), (extra, Mode::Prompt));
    }
    let error = conversations(&json!({"conversations": [], "mode": "train"})).expect_err("an unknown mode");
    assert!(error.contains("unknown variant `train`, expected `training` or `prompt`"), "{error}");
}
