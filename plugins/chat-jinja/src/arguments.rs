//! The arguments of calls: objects, as most templates read them, or the text of one, which some join to their own (DeepSeek's
//! V3, Functionary's) and cannot join an object to.

use crate::template::Template;
use crate::turns::Turn;
use diapason_plugin::Result;
use jinja::{Clock, Trace};
use serde_json::Value;

/// What `render` makes of the turns; where the template cannot join an object to a text, of the turns with arguments as text.
pub(crate) fn as_taken<T>(turns: &[Turn], render: impl Fn(&[Turn]) -> Result<T>) -> Result<T> {
    render(turns).or_else(|cause| match cause.contains(NO_TEXT) && turns.iter().any(has_objects) {
        true => {
            let texts = turns.iter().cloned().map(in_text).collect::<Result<Vec<_>>>()?;
            render(&texts)
        }
        false => Err(cause),
    })
}

/// What Python says of an object that is joined to a text.
const NO_TEXT: &str = "can only concatenate str (not \"dict\") to str";

fn has_objects(turn: &Turn) -> bool {
    turn.get("tool_calls").and_then(Value::as_array).into_iter().flatten().any(|call| {
        let function = call.get("function").unwrap_or(call);
        function.get("arguments").is_some_and(Value::is_object)
    })
}

fn in_text(mut turn: Turn) -> Result<Turn> {
    let calls = turn.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten();
    for call in calls {
        let function = match call.get("function").is_some() {
            true => &mut call["function"],
            false => call,
        };
        if let Some(arguments) = function.get_mut("arguments").filter(|arguments| arguments.is_object()) {
            *arguments = text(arguments)?.into();
        }
    }
    Ok(turn)
}

/// JSON as Python writes it, and templates with it.
fn text(value: &Value) -> Result<String> {
    let clock = Clock::parse("2026-01-01").ok_or("no day")?;
    let template = Template::read("{{ value | tojson }}".into())?;
    Ok(template.render(clock, &[("value".into(), jinja::Value::from(value))], Trace::None)?.text)
}
