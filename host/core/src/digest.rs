//! SHA-256 digests, as lowercase hexadecimal: what the manifest and the gate bind.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The digest of some bytes.
pub fn of_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// One digest of named parts; the order of the parts matters, and no two lists of parts share a digest by concatenation.
pub fn of_parts<'a>(parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let list: Vec<(&str, &str)> = parts.into_iter().collect();
    of_bytes(serde_json::json!(list).to_string().as_bytes())
}

/// Returns bytes as lowercase hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_parts_do_not_run_together() {
        assert_ne!(of_parts([("a", "bc")]), of_parts([("ab", "c")]));
        assert_ne!(of_parts([("a", "b"), ("c", "d")]), of_parts([("c", "d"), ("a", "b")]));
    }
}
