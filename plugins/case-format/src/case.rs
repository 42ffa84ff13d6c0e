//! A case, and the file that it stands in.

use crate::expect::Plan;
use crate::{Result, from_value};
use serde::Deserialize;
use serde_json::{Map, Value};

/// One case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it is about.
    pub name: String,
    /// `evaluator`, `comparator`, `validator` or `chat-template`.
    pub capability: String,
    /// The plugin's settings.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// What the plugin is given.
    pub input: Value,
    /// What it must give.
    pub expect: Option<Value>,
    /// What an evaluator's plan must be.
    pub plan: Option<Vec<Plan>>,
    /// A text that its error must contain.
    pub error: Option<String>,
}

impl Case {
    /// Reads the text of a case file: one case, or a list of cases.
    ///
    /// # Errors
    /// The text is not JSON, or not a case; the error names the case where it has a name.
    pub fn read(text: &str) -> Result<Vec<Self>> {
        let cases = match serde_json::from_str(text).map_err(|cause| cause.to_string())? {
            Value::Array(cases) => cases,
            case => vec![case],
        };
        cases.into_iter().enumerate().map(|(index, case)| Self::of(index, case)).collect()
    }

    fn of(index: usize, case: Value) -> Result<Self> {
        let name = case.get("name").and_then(Value::as_str);
        let name = name.map_or_else(|| format!("case {}", index + 1), |name| format!("case `{name}`"));
        let case: Self = from_value(case).map_err(|cause| format!("{name}: {cause}"))?;
        case.consistent().map_err(|cause| format!("{name} {cause}"))?;
        Ok(case)
    }

    /// Whether the case says anything at all, and only one thing.
    fn consistent(&self) -> Result<()> {
        let expects = self.expect.is_some() || self.plan.is_some();
        if expects && self.error.is_some() {
            return Err("has both `expect` (or `plan`) and `error`".into());
        }
        if !expects && self.error.is_none() {
            return Err("has neither `expect` nor `error`".into());
        }
        if self.plan.is_some() && self.capability != "evaluator" {
            return Err("has a `plan`, which only evaluators make".into());
        }
        Ok(())
    }

    /// Compares what came of running the case: with `error` what went wrong, otherwise what `compare` says of the result.
    ///
    /// # Errors
    /// How the two disagree.
    pub fn judge<R>(&self, result: Result<R>, compare: impl FnOnce(R) -> Result<()>) -> Result<()> {
        match (result, &self.error) {
            (Ok(result), None) => compare(result),
            (Ok(_), Some(text)) => Err(format!("expected an error with `{text}`, got none")),
            (Err(error), Some(text)) if error.contains(text) => Ok(()),
            (Err(error), Some(text)) => Err(format!("expected an error with `{text}`, got `{error}`")),
            (Err(error), None) => Err(format!("failed: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Case;

    fn error(text: &str) -> String {
        Case::read(text).expect_err(text)
    }

    #[test]
    fn one_case_or_several() {
        let one = r#"{"name": "a", "capability": "evaluator", "input": {}, "expect": []}"#;
        assert_eq!(Case::read(one).map(|cases| cases.len()), Ok(1));
        assert_eq!(Case::read(&format!("[{one}, {one}]")).map(|cases| cases.len()), Ok(2));
    }

    #[test]
    fn a_case_says_one_thing_of_what_it_knows() {
        let both = r#"{"name": "a", "capability": "evaluator", "input": {}, "expect": [], "error": "x"}"#;
        assert_eq!(error(both), "case `a` has both `expect` (or `plan`) and `error`");
        let neither = r#"[{"name": "a", "capability": "evaluator", "input": {}}]"#;
        assert_eq!(error(neither), "case `a` has neither `expect` nor `error`");
        let plan = r#"{"name": "a", "capability": "validator", "input": {}, "plan": []}"#;
        assert_eq!(error(plan), "case `a` has a `plan`, which only evaluators make");
        assert!(error(r#"{"name": "a", "expected": []}"#).starts_with("case `a`: unknown field `expected`"));
        assert!(error(r#"[{"capability": "evaluator", "input": {}}]"#).starts_with("case 1: missing field `name`"));
        let settings = r#"{"name": "a", "capability": "evaluator", "settings": [], "input": {}, "expect": []}"#;
        assert!(error(settings).starts_with("case `a`: invalid type"));
    }
}
