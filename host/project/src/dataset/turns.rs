//! The turns of a task's row, joined as the harness joins them.

use diapason_core::config::Task;
use diapason_core::sample::{Message, Sample};

/// The sample as it is asked: with its examples as turns, in the user's turn, or as plain text.
pub(super) fn joined(mut sample: Sample, task: &Task) -> Sample {
    if task.apply_chat_template && task.fewshot_as_multiturn {
        return sample;
    }
    let is_system = |message: &Message| message.role == "system";
    let (system, turns): (Vec<Message>, Vec<Message>) = sample.messages.into_iter().partition(is_system);
    let text = text(&turns, task);
    sample.messages = if task.apply_chat_template {
        system.into_iter().chain([Message::new("user", text)]).collect()
    } else {
        vec![Message::new("user", system.iter().map(|one| &*one.content).collect::<String>() + &text)]
    };
    sample.plain = !task.apply_chat_template;
    sample
}

/// Every turn but the last is a question of an example, or its answer.
fn text(turns: &[Message], task: &Task) -> String {
    let mut text = String::new();
    for (number, turn) in turns.iter().enumerate() {
        text.push_str(&turn.content);
        if number + 1 < turns.len() {
            let asks = turn.role == "user";
            text.push_str(if asks { &task.delimiters.target } else { &task.delimiters.example });
        }
    }
    text
}
