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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn turns(arguments: Value) -> Vec<Turn> {
        let call = json!({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}, {"name": "g", "arguments": {}}]});
        vec![call.as_object().expect("an object").clone()]
    }

    fn written(source: &str, turns: &[Turn]) -> Result<String> {
        let template = Template::read(source.into()).expect("a template");
        let clock = Clock::parse("2026-01-01").expect("a day");
        as_taken(turns, |turns| {
            let values = jinja::Value::list(crate::turns::values(turns));
            Ok(template.render(clock, &[("messages".into(), values)], Trace::None)?.text)
        })
    }

    #[test]
    fn a_template_that_joins_texts_gets_a_text() {
        let calls = "{% for call in messages[0].tool_calls %}{% set f = call.function or call %}";
        let joins = format!("{calls}{{{{ '<' + f.arguments + '>' }}}}{{% endfor %}}");
        let given = turns(json!({"città": "Zürich", "n": [1, 2.0, null]}));
        assert_eq!(written(&joins, &given).as_deref(), Ok(r#"<{"città": "Zürich", "n": [1, 2.0, null]}><{}>"#));
        let reads = format!("{calls}{{{{ f.arguments | tojson }}}}{{% endfor %}}");
        assert_eq!(written(&reads, &given).as_deref(), Ok(r#"{"città": "Zürich", "n": [1, 2.0, null]}{}"#));
    }

    #[test]
    fn other_causes_stay() {
        let given = turns(json!({"a": 1}));
        let joins = "{{ 'a' + messages[0] }}";
        let cause = written(joins, &given).expect_err("an object that is no arguments");
        assert!(cause.contains("can only concatenate"), "{cause}");
        assert!(written("{{ 1 + 'a' }}", &given).expect_err("a number").contains("unsupported operand"));
    }
}
