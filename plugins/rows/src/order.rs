//! The order of turns: what no conversation can have, and what few templates take.

use crate::fault::Fault;
use crate::turns::{Turn, Turns};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    System,
    User,
    Assistant,
    Tool,
}

fn part(turn: &Turn) -> Option<Part> {
    match turn.role.as_str() {
        "system" | "developer" => Some(Part::System),
        "user" => Some(Part::User),
        "assistant" => Some(Part::Assistant),
        "tool" => Some(Part::Tool),
        _ => None,
    }
}

/// What is wrong with roles and their order: first what forbids reading the row, then what only a validator says.
///
/// A tool's turn that nobody asked for is no conversation. ShareGPT's turns alternate strictly, so any other order there is a
/// row that was damaged or cut. Other rows may have an order that their template takes.
pub(crate) fn check(read: &Turns, key: &str) -> (Vec<Fault>, Vec<Fault>) {
    let (mut impossible, mut doubtful) = (Vec::new(), Vec::new());
    let parts: Vec<Option<Part>> = read.turns.iter().map(part).collect();
    for (index, turn) in read.turns.iter().enumerate().filter(|(index, _)| parts[*index].is_none()) {
        let message = format!("the role is \"{}\"", turn.role);
        let path = format!("/{key}/{index}/role");
        doubtful.push(Fault::new("unknown-role", path, message, "use system, user, assistant or tool"));
    }
    // An unknown role was reported; what follows from it would only repeat that.
    let Some(parts) = parts.into_iter().collect::<Option<Vec<Part>>>() else { return (impossible, doubtful) };
    for (index, part) in parts.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| parts[index]);
        let (wrong, forbids) = match (part, before) {
            (Part::Tool, None | Some(Part::System | Part::User)) => {
                ("a tool turn that no assistant turn asked for", true)
            }
            (Part::System, Some(_)) => ("a system turn that is not the first", read.sharegpt),
            (Part::User, Some(Part::User)) => ("two user turns in a row", read.sharegpt),
            (Part::User, Some(Part::Tool)) => {
                ("a user turn after a tool's, which the assistant has to answer first", read.sharegpt)
            }
            (Part::Assistant, None | Some(Part::System)) if !parts[..index].contains(&Part::User) => {
                ("an assistant turn before any user turn", read.sharegpt)
            }
            (Part::Assistant, Some(Part::Assistant)) => ("two assistant turns in a row", read.sharegpt),
            _ => continue,
        };
        let hint = "join, reorder or remove turns: system, then user and assistant in turn";
        let fault = Fault::new("role-order", format!("/{key}/{index}"), wrong, hint);
        if forbids { impossible.push(fault) } else { doubtful.push(fault) }
    }
    (impossible, doubtful)
}
