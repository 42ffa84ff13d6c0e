//! Python's regular expressions over module names, as PEFT 0.21.2 uses them.
//!
//! What both engines read alike is matched; syntax that Python reads in another way, or not at all, is refused by name.

use fancy_regex::Regex;

/// An expression that is tried against the names of modules.
#[derive(Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// `re.fullmatch(text, name)`: what `target_modules` and `exclude_modules` do with a string.
    pub(super) fn full(text: &str) -> Result<Self, String> {
        Self::new(text, text.strip_prefix("(?i)").unwrap_or(text), &format!(r"\A(?:{text})\z"))
    }

    /// `re.match(rf"(.*\.)?({text})$", name)`: what `rank_pattern` and `alpha_pattern` do with a key.
    pub(super) fn suffix(text: &str) -> Result<Self, String> {
        Self::new(text, text, &format!(r"\A(?:(.*\.)?({text})$)"))
    }

    /// `re.match(rf"(^|.*\.){text}($|\..*)", name)`: which modules `modules_to_save` takes away from the adapter.
    pub(super) fn part(text: &str) -> Result<Self, String> {
        Self::new(text, text, &format!(r"\A(?:(^|.*\.){text}($|\..*))"))
    }

    /// `re.match(rf"(?:^|.*?\.){text}\.(?P<idx>\d+)\.", name)`: where `layers_pattern` finds a layer's number.
    pub(super) fn layer(text: &str) -> Result<Self, String> {
        Self::new(text, text, &format!(r"\A(?:(?:^|.*?\.){text}\.(?P<idx>\d+)\.)"))
    }

    fn new(text: &str, body: &str, whole: &str) -> Result<Self, String> {
        portable(body).map_err(|fault| format!("the regular expression `{text}` has {fault}"))?;
        let fail = |error| format!("`{text}` is no regular expression: {error}");
        Regex::new(whole).map(Self).map_err(fail)
    }

    /// Whether the name matches. Errors where the expression takes too long.
    pub(super) fn matches(&self, name: &str) -> Result<bool, String> {
        self.0.is_match(name).map_err(|error| format!("a regular expression failed on `{name}`: {error}"))
    }

    /// The number of the layer, of an expression made by [`Pattern::layer`].
    pub(super) fn index(&self, name: &str) -> Result<Option<i64>, String> {
        let found =
            self.0.captures(name).map_err(|error| format!("a regular expression failed on `{name}`: {error}"))?;
        Ok(found.and_then(|found| found.name("idx")?.as_str().parse().ok()))
    }
}

/// Refuses syntax that Python reads otherwise, or does not read.
fn portable(text: &str) -> Result<(), String> {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        rest = match first {
            '\\' => escape(rest, "dDwWsSbBAZ0123456789nrtfv")?,
            '[' => class(rest)?,
            '(' if rest.starts_with('?') => {
                group(rest)?;
                rest
            }
            '{' if rest.starts_with(',') => return Err("`{,`, which engines read differently".to_owned()),
            _ => rest,
        };
    }
    Ok(())
}

/// Takes the character behind a backslash, which may be a letter or a digit only if it is one of `known`.
fn escape<'a>(rest: &'a str, known: &str) -> Result<&'a str, String> {
    let Some(first) = rest.chars().next() else { return Err("a backslash at its end".to_owned()) };
    let literal = first.is_ascii_punctuation() && !"<>".contains(first);
    if literal || known.contains(first) {
        Ok(&rest[first.len_utf8()..])
    } else {
        Err(format!(r"`\{first}`, which engines read differently"))
    }
}

/// Takes a set up to its closing bracket.
fn class(rest: &str) -> Result<&str, String> {
    let mut rest = rest.strip_prefix('^').unwrap_or(rest);
    rest = rest.strip_prefix(']').unwrap_or(rest);
    while let Some(first) = rest.chars().next() {
        if ["[", "&&", "--", "~~", "||"].iter().any(|operator| rest.starts_with(operator)) {
            return Err(format!("`{first}` in a set, which engines read differently"));
        }
        rest = &rest[first.len_utf8()..];
        match first {
            ']' => return Ok(rest),
            '\\' => rest = escape(rest, "dDwWsSnrtfv")?,
            _ => {}
        }
    }
    Err("a set without an end".to_owned())
}

/// Looks at what follows `(`, beginning with `?`.
fn group(rest: &str) -> Result<(), String> {
    let known = ["?:", "?=", "?!", "?<=", "?<!", "?P<", "?P=", "?>", "?i:"];
    if known.iter().any(|start| rest.starts_with(start)) {
        Ok(())
    } else {
        Err(format!("`({}`, which engines read differently", rest.chars().take(3).collect::<String>()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NAME: &str = "model.layers.10.self_attn.q_proj";

    /// What Python's `re` says of the same expressions.
    #[test]
    fn as_python_matches() {
        let full = [
            (".*q_proj", true),
            ("q_proj", false),
            (r".*\.(q|v)_proj", true),
            (r"model\.layers\.(?:[0-9]|1[0-5])\.self_attn\.[qk]_proj", true),
            (r"(?!.*layers\.10).*q_proj", false),
            ("(?i).*Q_PROJ", true),
            (r"q_proj|.*q", false),
            ("(?:.*?(?:language|text|model).*?(?:self_attn|attention|mlp).*?(?:q_proj|v_proj).*?)", true),
        ];
        for (text, expected) in full {
            assert_eq!(Pattern::full(text).unwrap().matches(NAME).unwrap(), expected, "{text}");
        }
        let suffixes = [
            ("q_proj", true),
            ("proj", false),
            ("attn.q_proj", false),
            (r"layers\.1.*q_proj", true),
            ("^model.layers.10.self_attn.q_proj", true),
            ("^layers.10.self_attn.q_proj", false),
            ("k_proj|q_proj", true),
        ];
        for (text, expected) in suffixes {
            assert_eq!(Pattern::suffix(text).unwrap().matches(NAME).unwrap(), expected, "{text}");
        }
        assert!(Pattern::part("self_attn").unwrap().matches(NAME).unwrap());
        assert!(!Pattern::part("attn").unwrap().matches(NAME).unwrap());
        assert_eq!(Pattern::layer("layers").unwrap().index(NAME).unwrap(), Some(10));
        assert_eq!(Pattern::layer("h").unwrap().index(NAME).unwrap(), None);
    }

    #[test]
    fn what_engines_read_differently_is_refused() {
        for text in
            [r"\p{L}", r"\<q", "[a[b]]", "[a&&b]", "[a--b]", "(?<n>q)", "(?s)q", "a(?i)q", "q{,2}", r"q\", "[q", "("]
        {
            assert!(Pattern::full(text).is_err(), "{text}");
        }
        assert!(Pattern::suffix("(?i)q").is_err(), "Python takes flags at the start of the whole expression only");
    }
}
