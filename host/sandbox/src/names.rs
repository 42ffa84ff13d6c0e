//! Names that a plugin chooses: their form, and as much of them as an error quotes.

/// Whether a name is in kebab-case: `exact-match`.
pub(crate) fn is_kebab_case(name: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= 64 && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.split('-').all(word)
}

/// The beginning of a name that an error quotes: a plugin chooses how long it is.
pub(crate) fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(100)]
}

#[cfg(test)]
mod tests {
    use super::is_kebab_case;

    #[test]
    fn kebab_case() {
        for name in ["exact-match", "f1", "token-f1", "pass-at-10"] {
            assert!(is_kebab_case(name), "{name}");
        }
        for name in ["", "-a", "a-", "a--b", "A", "a_b", "a.b", "1a", "é", &"a".repeat(65)] {
            assert!(!is_kebab_case(name), "{name}");
        }
    }
}
