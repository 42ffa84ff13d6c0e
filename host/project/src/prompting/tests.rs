use super::*;
use crate::dataset::{Selection, parse};
use diapason_core::Class;
use diapason_core::config::{self, Choose};
use serde_json::{Value, json};

fn rows(list: &[Value]) -> Vec<Sample> {
    let text: String = list.iter().map(|row| format!("{row}\n")).collect();
    parse(&text, "train.jsonl", &Selection::default()).expect("rows")
}

fn sample(row: Value) -> Sample {
    parse(&row.to_string(), "test.jsonl", &Selection::default()).expect("a row").swap_remove(0)
}

fn settings(count: usize, choose: Choose) -> config::Examples {
    let tag = (choose == Choose::Tag).then(|| "kind".to_owned());
    config::Examples { from: "train".into(), count, choose, tag }
}

fn asking(question: &str) -> Sample {
    sample(json!({"prompt": question}))
}

/// Forty rows that differ in every word.
fn many() -> Vec<Value> {
    (0..40)
        .map(|at| json!({"prompt": format!("word{at} of{at} row{at}"), "completion": format!("answer{at}")}))
        .collect()
}

fn open(count: usize, choose: Choose, list: &[Value]) -> Examples {
    Examples::open(&settings(count, choose), rows(list), 7).expect("examples")
}

fn ids(examples: &Examples, sample: &Sample) -> Vec<String> {
    examples.chosen(sample).expect("enough").into_iter().map(|row| row.id.clone()).collect()
}

fn texts(examples: &Examples, sample: &Sample) -> Vec<String> {
    let chosen = examples.chosen(sample).expect("enough");
    chosen.into_iter().map(|row| row.messages[row.messages.len() - 1].content.clone()).collect()
}

#[test]
fn examples_stand_after_the_system_message_as_turns() {
    let call = json!([{"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]);
    let examples = open(
        1,
        Choose::Seed,
        &[json!({"messages": [
            {"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": call}, {"role": "tool", "content": "3"},
            {"role": "assistant", "content": "Three."},
        ]})],
    );
    let asked = sample(json!({"messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "What now?"},
    ], "tools": [{"type": "function", "function": {"name": "g"}}]}));
    let prompt = Prompting { examples: Some(examples), passages: None }.prompt(&asked).expect("a prompt");
    let turns: Vec<(&str, &str)> =
        prompt.messages.iter().map(|turn| (turn.role.as_str(), turn.content.as_str())).collect();
    let expected = [
        ("system", "Be brief."),
        ("user", "Hi"),
        ("assistant", ""),
        ("tool", "3"),
        ("assistant", "Three."),
        ("user", "What now?"),
    ];
    assert_eq!(turns, expected);
    assert_eq!(prompt.messages[2].extra["tool_calls"][0]["function"]["name"], "f");
    assert_eq!((prompt.tools, prompt.place), (asked.tools, asked.place));
}

#[test]
fn without_settings_a_prompt_is_the_samples() {
    let asked = asking("What now?");
    let none = Prompting::default();
    assert_eq!(none.prompt(&asked).expect("a prompt"), Conversation::prompt(&asked));
    assert!(none.is_empty());
}

#[test]
fn the_seed_gives_every_prompt_the_same_examples() {
    let examples = open(5, Choose::Seed, &many());
    let first = ids(&examples, &asking("anything"));
    assert_eq!(first.len(), 5);
    assert_eq!(ids(&examples, &asking("something else")), first);
    let other = Examples::open(&settings(5, Choose::Seed), rows(&many()), 8).expect("examples");
    assert_ne!(ids(&other, &asking("anything")), first);
    let shown = asking(&examples.chosen(&asking("anything")).expect("enough")[1].messages[0].content.to_uppercase());
    let without = ids(&examples, &shown);
    assert_eq!(
        [&without[..1], &without[1..4]],
        [&first[..1], &first[2..]],
        "the next row takes the place of the row itself"
    );
    assert!(!first.contains(&without[4]));
}

#[test]
fn a_row_more_moves_no_other() {
    let name = |at: usize, row: Value| json!({"id": format!("r{at}"), "prompt": row["prompt"], "completion": row["completion"]});
    let mut list: Vec<Value> = many().into_iter().enumerate().map(|(at, row)| name(at, row)).collect();
    let before = ids(&open(40, Choose::Seed, &list), &asking("anything"));
    list.insert(3, json!({"id": "new", "prompt": "quite another one", "completion": "x"}));
    let mut after = ids(&open(41, Choose::Seed, &list), &asking("anything"));
    after.retain(|id| id != "new");
    assert_eq!(after, before);
}

#[test]
fn a_row_that_gives_the_answer_away_is_no_example() {
    let long = "please tell me the capital of the country that lies between Spain and Germany and is known for cheese";
    let pairs = [
        (json!({"prompt": "2 + 3?", "completion": "five"}), json!({"prompt": "2 + 3", "completion": "5"})),
        (
            json!({"prompt": long, "completion": "Paris"}),
            json!({"prompt": format!("{long} now"), "completion": "Paris"}),
        ),
        (
            json!({"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}),
            json!({"prompt": "hello!", "completion": "Hi."}),
        ),
        (
            json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]}),
            json!({"system": "s", "prompt": "hello!", "reference": "Hi."}),
        ),
    ];
    for (near, asked) in pairs {
        let examples = open(1, Choose::Seed, &[near.clone(), json!({"prompt": "far away", "completion": "x"})]);
        for seed in 0..8 {
            let examples = Examples::open(
                &settings(1, Choose::Seed),
                rows(&[near.clone(), json!({"prompt": "far away", "completion": "x"})]),
                seed,
            )
            .expect("examples");
            assert_eq!(texts(&examples, &sample(asked.clone())), ["far away"], "{near}");
        }
        assert_eq!(texts(&examples, &sample(asked)), ["far away"]);
    }
}

#[test]
fn too_few_examples_are_an_error_that_says_why() {
    let list = [
        json!({"prompt": "a b", "completion": "1"}),
        json!({"prompt": "a, b", "completion": "2"}),
        json!({"system": "Other.", "prompt": "c", "completion": "3"}),
        json!({"prompt": "d", "completion": "4"}),
    ];
    let error = open(2, Choose::Seed, &list).chosen(&asking("A B")).expect_err("too few");
    let expected = "1 of 2 examples are left for line 1 of test.jsonl in `train`: 2 are the row itself or nearly the same; \
                    1 have another system message, other tools or other variables";
    assert_eq!((error.to_string().as_str(), error.class()), (expected, Class::Data));
    assert!(error.hint_text().is_some());
    let error = Examples::open(&settings(5, Choose::Seed), rows(&list), 1).expect_err("too few rows");
    assert_eq!(
        (error.to_string().as_str(), error.class()),
        ("`examples.count` is 5, but `train` has 4 rows", Class::Config)
    );
}

#[test]
fn examples_with_a_system_message_tools_or_variables_stand_under_the_same_only() {
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let list = [
        json!({"id": "plain", "prompt": "p", "completion": "1"}),
        json!({"id": "system", "system": "S", "prompt": "q", "completion": "1"}),
        json!({"id": "tools", "prompt": "r", "completion": "1", "tools": tools}),
        json!({"id": "variables", "prompt": "s", "completion": "1", "enable_thinking": false}),
    ];
    let shown = |asked: Value, count: usize| {
        let mut found = ids(&open(count, Choose::Seed, &list), &sample(asked));
        found.sort();
        found
    };
    assert_eq!(shown(json!({"prompt": "x"}), 1), ["plain"]);
    assert_eq!(shown(json!({"prompt": "x", "system": "S"}), 2), ["plain", "system"]);
    assert_eq!(shown(json!({"prompt": "x", "tools": tools}), 2), ["plain", "tools"]);
    let all = json!({"prompt": "x", "system": "S", "tools": tools, "enable_thinking": false});
    assert_eq!(shown(all, 4), ["plain", "system", "tools", "variables"]);
    assert!(open(2, Choose::Seed, &list).chosen(&asking("x")).is_err());
}

#[test]
fn tags_choose_among_rows_of_the_same_value() {
    let row = |at: usize| json!({"prompt": format!("p{at}"), "completion": "1", "tags": {"kind": if at.is_multiple_of(2) { "even" } else { "odd" }}});
    let list: Vec<Value> = (0..20).map(row).collect();
    let examples = open(4, Choose::Tag, &list);
    let asked = sample(json!({"prompt": "x", "tags": {"kind": "odd"}}));
    let chosen = examples.chosen(&asked).expect("enough");
    assert!(chosen.iter().all(|row| row.tags["kind"] == "odd") && chosen.len() == 4);
    let error = examples.chosen(&asking("x")).expect_err("no tag");
    assert!(error.to_string().contains("line 1 of test.jsonl has no tag `kind`"), "{error}");
    let error = examples.chosen(&sample(json!({"prompt": "x", "tags": {"kind": "none"}}))).expect_err("no row");
    assert!(error.to_string().contains("0 of 4 examples") && error.to_string().contains("`kind` = `none`"), "{error}");
    let error = Examples::open(&settings(1, Choose::Tag), rows(&many()), 1).expect_err("no tag");
    assert!(error.to_string().contains("line 1 of train.jsonl has no tag `kind`"), "{error}");
    for (choose, tag) in [(Choose::Tag, None), (Choose::Seed, Some("kind".to_owned()))] {
        let wrong = config::Examples { tag, ..settings(1, choose) };
        assert_eq!(Examples::open(&wrong, rows(&list), 1).expect_err("a contradiction").class(), Class::Config);
    }
}

#[test]
fn the_most_similar_example_stands_last() {
    let list = [
        json!({"prompt": "the price of a lamp in Reno", "completion": "1"}),
        json!({"prompt": "the weather in Paris", "completion": "2"}),
        json!({"prompt": "a lamp", "completion": "3"}),
        json!({"prompt": "a lamp, please: what does it cost in Reno", "completion": "4"}),
        json!({"prompt": "What does a lamp cost in Reno?", "completion": "5"}),
    ];
    let examples = open(3, Choose::Similarity, &list);
    let shown = texts(&examples, &asking("what does a lamp cost in Reno"));
    assert_eq!(
        shown.last().map(String::as_str),
        Some("a lamp, please: what does it cost in Reno"),
        "not the row itself"
    );
    assert!(!shown.contains(&"the weather in Paris".to_owned()), "{shown:?}");
}

#[test]
fn rows_without_a_right_answer_are_refused_or_left_out() {
    let wrong = |extra: Value| {
        let mut row = json!({"messages": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "wrong", "weight": 0}]});
        row.as_object_mut().expect("a row").extend(extra.as_object().expect("keys").clone());
        row
    };
    let error = Examples::open(&settings(1, Choose::Seed), rows(&[wrong(json!({}))]), 1).expect_err("none is left");
    assert!(error.to_string().contains("not counting 1 whose answer is marked as not to be learned"), "{error}");
    let examples = open(1, Choose::Seed, &[wrong(json!({"reference": "right"}))]);
    assert_eq!(examples.turns(&asking("x")).expect("enough")[1].content, "right");
    let error = Examples::open(&settings(1, Choose::Seed), rows(&[json!({"prompt": "p"})]), 1).expect_err("no answer");
    assert!(error.to_string().contains("line 1 of train.jsonl has no answer"), "{error}");
}

#[test]
fn the_digest_covers_what_shapes_the_choice() {
    let digest = |count, seed, list: &[Value]| {
        Examples::open(&settings(count, Choose::Seed), rows(list), seed).expect("examples").digest().to_owned()
    };
    let mut other = many();
    other[3]["completion"] = "another".into();
    let all = [
        digest(5, 7, &many()),
        digest(4, 7, &many()),
        digest(5, 8, &many()),
        digest(5, 7, &other),
        digest(5, 7, &many()[1..]),
        open(5, Choose::Similarity, &many()).digest().to_owned(),
    ];
    assert!(all.iter().enumerate().all(|(at, one)| !all[..at].contains(one)), "{all:?}");
    assert_eq!(all[0], digest(5, 7, &many()));
    let renamed = config::Examples { from: "elsewhere.jsonl".into(), ..settings(5, Choose::Seed) };
    assert_eq!(
        Examples::open(&renamed, rows(&many()), 7).expect("examples").digest(),
        all[0],
        "not where the file lies"
    );
}
