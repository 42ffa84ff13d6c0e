use super::*;

fn parts(text: &str) -> (String, Option<String>, bool) {
    let Parted { answer, reasoning, open } = part(text);
    (answer, reasoning, open)
}

fn taken(answer: &str, reasoning: &str) -> (String, Option<String>, bool) {
    (answer.to_owned(), Some(reasoning.to_owned()), false)
}

fn whole(text: &str) -> (String, Option<String>, bool) {
    (text.to_owned(), None, false)
}

#[test]
fn every_familys_marks() {
    for pair in &PAIRS {
        for (open, close) in
            [(pair.open, pair.close), (&*pair.open.to_ascii_uppercase(), &*pair.close.to_ascii_uppercase())]
        {
            let expected = taken("Paris", "France, so");
            assert_eq!(parts(&format!("{open}\nFrance, so\n{close}\n\nParis")), expected);
            assert_eq!(parts(&format!("\nFrance, so\n{close}\n\nParis")), expected, "no opening mark");
            assert_eq!(parts(&format!("{open}\nFrance, so")), (String::new(), Some("France, so".to_owned()), true));
            assert_eq!(parts(&format!("{open}{close}Paris")), taken("Paris", ""));
        }
    }
    assert_eq!(
        parts("<|START_THINKING|>so<|END_THINKING|><|START_RESPONSE|>Paris<|END_RESPONSE|>"),
        taken("Paris", "so")
    );
    assert_eq!(parts("<|begin_of_thought|>so<|end_of_thought|>\n<|begin_of_solution|>\nParis"), taken("Paris", "so"));
}

#[test]
fn channels_with_and_without_marks() {
    let text =
        "<|channel|>analysis<|message|>France, so<|end|><|start|>assistant<|channel|>final<|message|>Paris<|return|>";
    assert_eq!(parts(text), taken("Paris", "France, so"));
    assert_eq!(parts("<|channel|>final<|message|>Paris"), whole("Paris"));
    assert_eq!(parts("<|channel|>analysis<|message|>France"), (String::new(), Some("France".to_owned()), true));
    assert_eq!(parts("analysisFrance, so.assistantfinalParis"), taken("Paris", "France, so."));
    assert_eq!(parts("analysis of the final"), whole("analysis of the final"));
}

#[test]
fn several_blocks_and_prose_around_them() {
    assert_eq!(parts("<think>a</think>\n<think>b</think>\nParis"), taken("Paris", "a\nb"));
    assert_eq!(parts("Well.\n<think>a</think>\nParis"), taken("Well.\nParis", "a"));
    assert_eq!(parts("a</think>b</think>c"), taken("c", "a\nb"));
    let open = ("Paris".to_owned(), Some("wait".to_owned()), true);
    assert_eq!(parts("Paris\n<think>wait"), open);
}

#[test]
fn backticks_in_the_reasoning_hide_no_mark() {
    assert_eq!(parts("<think>use `x</think>It is `y`."), taken("It is `y`.", "use `x"));
    assert_eq!(parts("use `x\n</think>\nIt is `y`."), taken("It is `y`.", "use `x"));
    assert_eq!(parts("<think>```\na</think>b"), taken("b", "```\na"));
}

/// Whatever a model writes, something comes out, and nothing is lost of a text without marks.
#[test]
fn any_text_is_parted() {
    const PIECES: [&str; 16] = [
        "<think>",
        "</think>",
        "[THINK]",
        "[/THINK]",
        "`",
        "```",
        "\n",
        " ",
        "é",
        "{",
        "}",
        "\"a\": 1",
        "<|channel|>",
        "<|channel|>final<|message|>",
        "analysis",
        "assistantfinal",
    ];
    let mut state = 7_u64;
    for _ in 0..5_000 {
        let mut text = String::new();
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(PIECES[(state >> 60) as usize]);
        }
        let parted = part(&text);
        assert!(parted.reasoning.is_some() || parted.answer == text || text.contains("<|channel|>"), "{text}");
        assert!(
            part(&parted.answer).reasoning.is_none()
                || parted.open
                || text.contains("channel")
                || text.contains("final"),
            "{text}"
        );
        let _ = crate::json::find(&text, crate::json::Choice::Last, None);
    }
}

#[test]
fn marks_that_are_text() {
    for text in [
        "",
        " Paris\n",
        "Use the `<think>` and `</think>` tags.",
        "```\n<think>a</think>\n```",
        "{\"html\": \"<think>a</think>\"}",
        "an inline <think> without end",
        "I think so",
        "[THINKING] about",
    ] {
        assert_eq!(parts(text), whole(text), "{text}");
    }
    // The JSON document after the reasoning stays whole.
    let json = "{\"html\": \"<think>a</think>\"}";
    assert_eq!(parts(&format!("<think>so</think>{json}")), taken(json, "so"));
}

#[test]
fn it_can_be_kept_and_is_summed_up() {
    let text = "<think>a b</think>c";
    assert_eq!(Reasoning::Keep.part(text), Parted { answer: text.to_owned(), ..Parted::default() });
    assert_eq!(part(text).summary().as_deref(), Some("2 words, not judged"));
    assert!(part("<think>a").summary().is_some_and(|line| line.contains("no answer")));
    assert_eq!(part("c").summary(), None);
}
