//! `about`: who a plugin is.

use crate::bindings::exports::diapason::plugin::about::Description;
use crate::names::{cut, is_kebab_case};
use diapason_core::schema::check_schema;
use diapason_core::{Error, Result};
use serde_json::Value;

/// Bytes of a settings schema. The largest of Diapason's own has 3,000.
const SCHEMA: usize = 1 << 18;

/// A plugin's description, checked.
pub(super) struct About {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) summary: String,
    pub(super) schema: Value,
}

impl About {
    pub(super) fn check(description: Description) -> Result<Self> {
        let Description { id, version, summary, settings_schema } = description;
        let fault = |what: String| Error::plugin(what).hint("this is a fault of the plugin's `about`");
        if !is_kebab_case(&id) {
            return Err(fault(format!("its id is {:?}, expected kebab-case", cut(&id))));
        }
        if !is_version(&version) {
            return Err(fault(format!("its version is {:?}, expected one like 1.2.3", cut(&version))));
        }
        if summary.contains('\n') || summary.len() > 1000 {
            return Err(fault("its summary is not one short line".into()));
        }
        if settings_schema.len() > SCHEMA {
            return Err(fault(format!(
                "its settings schema has {} KiB, at most {} are read",
                settings_schema.len() >> 10,
                SCHEMA >> 10
            )));
        }
        let schema: Value = serde_json::from_str(&settings_schema)
            .map_err(|source| fault("its settings schema is not valid JSON".into()).because(source))?;
        match schema {
            Value::Object(_) | Value::Bool(_) => {
                check_schema(&id, &schema)?;
                Ok(Self { id, version, summary, schema })
            }
            _ => Err(fault("its settings schema is not a JSON object".into())),
        }
    }
}

/// Three numbers, then a pre-release and a build, as semver has it.
fn is_version(version: &str) -> bool {
    let (core, rest) = version.split_at(version.find(['-', '+']).unwrap_or(version.len()));
    let numbers: Vec<&str> = core.split('.').collect();
    let number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let label = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    version.len() <= 64 && numbers.len() == 3 && numbers.iter().all(number) && rest.bytes().all(label)
}

#[cfg(test)]
mod tests {
    use super::is_version;

    #[test]
    fn versions() {
        for version in ["0.1.0", "1.20.3", "1.0.0-rc.1", "1.0.0+build"] {
            assert!(is_version(version), "{version}");
        }
        for version in ["", "1", "1.0", "1.0.0.0", "v1.0.0", "1..0", "1.0.0-ä", "1.0.0\n"] {
            assert!(!is_version(version), "{version}");
        }
    }
}
