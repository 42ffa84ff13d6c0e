//! Templates that write an answer in other letters, or elsewhere than in a loop over the turns: what is learnt is found all
//! the same.

#![allow(clippy::unwrap_used)]

use crate::{Jinja, Settings};
use diapason_plugin::{ChatTemplate as _, Conversation, Message};
use serde_json::json;

/// What templates do to a text.
const DONE: [&str; 12] = [
    "x",
    "x | trim",
    "x | upper",
    "x | tojson",
    "x | tojson(ensure_ascii=True)",
    "x | e",
    "x | replace('\\n', ' ')",
    "x | indent(2)",
    "{'content': x} | tojson",
    "x.split('</think>')[-1].lstrip('\\n')",
    "x.splitlines() | join('\\n') ",
    "x | string | trim ~ ''",
];

/// How templates write turns. `W` is what they write of one, `P` of a prompt.
const SHAPES: [&str; 6] = [
    "{% for m in messages %}<{{ m.role }}>{{ W }}</s>{% endfor %}P",
    "{% for m in messages %}<{{ m.role }}>{{ W }}</s>\n{% endfor %}P",
    "{% set n = namespace(s='') %}{% for m in messages %}{% set n.s = n.s ~ '<' ~ m.role ~ '>' ~ (W) ~ '</s>' %}{% endfor %}{{ n.s }}P",
    "{% for m in messages[:-1] %}<{{ m.role }}>{{ W }}</s>{% endfor %}{% set m = messages[-1] %}<{{ m.role }}>{{ W }}</s>P",
    "{% macro w(m) %}<{{ m.role }}>{{ W }}</s>{% endmacro %}{% for m in messages %}{{ w(m) }}{% endfor %}P",
    "{% for i in range(messages | length) %}{% set m = messages[i] %}<{{ m.role }}>{{ W }}</s>{% endfor %}P",
];

const PROMPT: &str = "{% if add_generation_prompt %}<assistant>{% endif %}";

const ANSWERS: [&str; 10] = [
    "Paris",
    "\"Paris\" & <b>Wien</b>",
    "Größe: 3 €",
    " two\nlines ",
    "Q",
    "q0",
    "assistant",
    "</s>",
    "<think>\nhm\n</think>\n\nParis",
    "a\\nb",
];

fn jinja(template: String) -> Jinja {
    let settings: Settings = serde_json::from_value(json!({"template": template})).unwrap();
    Jinja::new(settings).unwrap()
}

fn message(role: &str, content: &str) -> Message {
    Message { role: role.into(), content: content.into(), extra: None }
}

/// A text as a template writes it.
fn done(text: &str, what: &str) -> String {
    let template = format!("{{% for m in messages %}}{{{{ {} }}}}{{% endfor %}}", what.replace('x', "m.content"));
    let messages = vec![message("assistant", text)];
    jinja(template).render_prompt(&Conversation { messages, tools: None }).unwrap()
}

#[test]
fn answers_are_found_however_they_are_written() {
    let mut wrong = Vec::new();
    for what in DONE {
        for shape in SHAPES {
            let template = shape.replace('W', &what.replace('x', "m.content")).replace('P', PROMPT);
            let jinja = jinja(template);
            for (number, answer) in ANSWERS.iter().enumerate() {
                let second = ANSWERS[(number + 3) % ANSWERS.len()];
                let messages = vec![
                    message("user", "q0"),
                    message("assistant", answer),
                    message("user", "q1"),
                    message("assistant", second),
                ];
                let expected: Vec<String> = [answer, second].iter().map(|text| done(text, what) + "</s>").collect();
                let learnt = jinja.render_training(&Conversation { messages, tools: None }).map(|segments| {
                    segments.into_iter().filter(|segment| segment.learn).map(|segment| segment.text).collect::<Vec<_>>()
                });
                if learnt.as_ref() != Ok(&expected) {
                    wrong.push(format!("{what} in {shape}: {learnt:?} for {expected:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn an_answer_of_which_nothing_is_written_is_refused() {
    let template = "{% for m in messages %}<{{ m.role }}>{{ m.content.split('</think>')[-1] }}</s>{% endfor %}";
    let jinja = jinja(template.into());
    let turns = |answers: &[&str]| {
        let pair = |answer: &&str| [message("user", "q"), message("assistant", answer)];
        Conversation { messages: answers.iter().flat_map(pair).collect(), tools: None }
    };
    for (answers, turn) in [(vec!["<think>hm</think>"], 2), (vec!["a", "<think>hm</think>\n", "b"], 4)] {
        let refused = jinja.render_training(&turns(&answers)).unwrap_err();
        assert!(refused.starts_with(&format!("turn {turn}: the template writes nothing of the answer")), "{refused}");
    }
    // What is silent itself is not refused.
    assert!(jinja.render_training(&turns(&["", "a"])).is_ok());
}
