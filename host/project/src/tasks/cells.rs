//! Cells of a table as pandas reads them, which the library `datasets` reads tables with. Columns are taken for numbers,
//! truth values and missing values by what they look like; where a template would print another text than the file has,
//! the table is refused.

use super::field::Doc;
use diapason_core::{Error, Result};
use serde_json::Value;

/// What pandas takes for a missing value, beside an empty cell.
const MISSING: [&str; 17] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "None", "n/a", "nan",
];

/// The library reads so many rows at once, and tells types for each such part.
const PART: usize = 10_000;

/// The rows with cells of their types. Empty cells are absent.
///
/// # Errors
/// A column holds something that pandas converts, or the table is too long to say what it would convert.
pub(super) fn typed(mut rows: Vec<Doc>) -> Result<Vec<Doc>> {
    if rows.len() > PART {
        let error = Error::data(format!("the table has {} rows, of which pandas tells types in parts", rows.len()));
        return Err(error.hint(HINT));
    }
    let mut columns: Vec<String> = Vec::new();
    for row in &rows {
        columns.extend(row.keys().filter(|name| !columns.contains(name)).cloned().collect::<Vec<_>>());
    }
    for name in columns {
        if is_whole(&rows, &name)? {
            for row in &mut rows {
                let number = row.get(&name).and_then(Value::as_str).and_then(|cell| cell.parse::<i64>().ok());
                row.insert(name.clone(), number.into());
            }
        }
    }
    Ok(rows)
}

const HINT: &str = "write the rows as JSON lines, which say of each value what it is";

/// Whether a column is one of integers.
fn is_whole(rows: &[Doc], name: &str) -> Result<bool> {
    let refuse = |what: String| Err(Error::data(format!("the column `{name}` {what}")).hint(HINT));
    let cells: Vec<&str> = rows.iter().filter_map(|row| row.get(name)?.as_str()).collect();
    if let Some(cell) = cells.iter().find(|cell| MISSING.contains(cell) || **cell == "null") {
        return refuse(format!("holds `{cell}`, which pandas takes for a missing value"));
    }
    let integer = |cell: &&str| cell.parse::<i64>().is_ok_and(|number| number.to_string() == **cell);
    if cells.len() == rows.len() && cells.iter().all(integer) {
        return Ok(true);
    }
    if cells.iter().all(|cell| is_number(cell)) {
        return refuse("is one of numbers, which pandas writes in another way".into());
    }
    if cells.iter().all(|cell| ["true", "false"].contains(&cell.to_lowercase().as_str())) {
        return refuse("is one of truth values".into());
    }
    Ok(false)
}

/// Whether a cell looks like a number of any kind.
fn is_number(cell: &str) -> bool {
    let cell = cell.trim();
    let infinite = cell.trim_start_matches(['+', '-']).to_lowercase();
    cell.parse::<f64>().is_ok() || ["inf", "infinity"].contains(&infinite.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table(cells: &[&str]) -> Vec<Doc> {
        let row = |cell: &&str| if cell.is_empty() { json!({"b": "x"}) } else { json!({"b": "x", "a": cell}) };
        cells.iter().map(|cell| row(cell).as_object().unwrap().clone()).collect()
    }

    #[test]
    fn integers_and_texts_are_read_and_nothing_is_converted_unseen() {
        let typed_a = |cells: &[&str]| {
            typed(table(cells)).map(|rows| rows.iter().map(|row| row.get("a").cloned()).collect::<Vec<_>>())
        };
        assert_eq!(typed_a(&["1", "-2"]).unwrap(), [Some(json!(1)), Some(json!(-2))]);
        assert_eq!(typed_a(&["1", "x"]).unwrap(), [Some(json!("1")), Some(json!("x"))]);
        assert_eq!(typed_a(&["x", ""]).unwrap(), [Some(json!("x")), None]);
        for cells in [
            ["1", ""],
            ["1.5", "2"],
            ["01", "2"],
            ["1e3", "2"],
            ["inf", "1"],
            ["True", "false"],
            ["NA", "x"],
            ["null", "x"],
            [" 1", "2"],
        ] {
            let error = typed_a(&cells).expect_err(cells[0]);
            assert!(error.to_string().contains("column `a`") && error.hint_text().is_some(), "{error}");
        }
    }
}
