//! Texts of a given width.

use super::text::is_markup;
use crate::arguments::{Given, text_of};
use crate::escape::escape;
use crate::fault::{Fault, Result};
use crate::operators::check_size;
use crate::value::Value;

pub(super) fn width_of(width: Option<&Value>) -> Result<usize> {
    let width = usize::try_from(width.map_or(Ok(0), Value::index)?.max(0)).unwrap_or(usize::MAX);
    check_size(width)?;
    Ok(width)
}

pub(super) fn pad(value: &Value, text: &str, method: &str, given: Given) -> Result<Value> {
    let fill_name = if is_markup(value) { "fillchar" } else { "/fillchar" };
    let [width, fill] = given.bind(method, ["/width", fill_name], 1)?;
    let fill = match (&fill, value) {
        (None, _) => " ".to_owned(),
        (Some(fill), Value::Markup(_)) => escape(fill)?,
        (Some(fill), _) => text_of(fill, "The fill character")?.to_owned(),
    };
    if fill.chars().count() != 1 {
        return Err(Fault::types("The fill character must be exactly one character long"));
    }
    Ok(Value::text_like(value, padded(text, width_of(width.as_ref())?, method, &fill)))
}

/// Python's `center`, `ljust` and `rjust`.
pub(crate) fn padded(text: &str, width: usize, method: &str, fill: &str) -> String {
    let length = text.chars().count();
    let space = width.saturating_sub(length);
    let left = match method {
        "ljust" => 0,
        "rjust" => space,
        // Where the space is odd, Python puts the rest on the left only for an odd width.
        _ => space / 2 + (space & width & 1),
    };
    format!("{}{text}{}", fill.repeat(left), fill.repeat(space - left))
}

pub(super) fn zero_fill(text: &str, width: usize) -> String {
    let space = width.saturating_sub(text.chars().count());
    let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
    format!("{sign}{}{digits}", "0".repeat(space))
}

pub(super) fn expand_tabs(text: &str, size: i128) -> Result<String> {
    let size = usize::try_from(size.max(0)).unwrap_or(0);
    check_size(size.saturating_mul(text.matches('\t').count()))?;
    let (mut out, mut column) = (String::new(), 0);
    for character in text.chars() {
        match character {
            '\t' if size > 0 => {
                let width = size - column % size;
                out.push_str(&" ".repeat(width));
                column += width;
            }
            '\t' => {}
            other => {
                out.push(other);
                column = if matches!(other, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(out)
}
