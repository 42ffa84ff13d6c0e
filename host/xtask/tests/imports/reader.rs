//! Reads from Rust source which modules it names: `use` declarations and paths in the text, without a compiler.

use std::collections::{BTreeMap, BTreeSet};

/// A path of modules and names below the crate's root.
pub(crate) type Path = Vec<String>;

/// What a file says about modules.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// Paths that it names, with their lines.
    pub named: BTreeSet<(usize, Path)>,
    /// Names that it makes its own by `pub use`, with where they come from.
    pub exports: BTreeMap<String, Path>,
    /// Child modules that only tests have.
    pub test_modules: BTreeSet<String>,
}

/// A word or a sign, and its line.
type Token = (String, usize);

/// Reads the source of `module`.
pub(crate) fn read(module: &[String], text: &str) -> Source {
    let mut reader = Reader { tokens: tokens(text), at: 0, found: Source::default(), aliases: BTreeMap::new() };
    reader.items(&mut module.to_vec());
    reader.found
}

/// Words, `::` and single signs; comments, strings and characters left out.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while let Some(&char) = chars.get(at) {
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        let end = match char {
            '/' if next == '/' => (at..chars.len()).find(|i| chars[*i] == '\n').unwrap_or(chars.len()),
            '/' if next == '*' => comment_end(&chars, at),
            '"' => string_end(&chars, at + 1),
            'r' | 'b' | 'c' if raw_string(&chars, at).is_some() => raw_string(&chars, at).unwrap_or(at + 1),
            '\'' if next == '\\' => (at + 3..chars.len()).find(|i| chars[*i] == '\'').map_or(chars.len(), |i| i + 1),
            '\'' if chars.get(at + 2) == Some(&'\'') => at + 3,
            ':' if next == ':' => push(&mut found, "::".into(), line, at + 2),
            _ if is_word(char) => {
                let end = (at..chars.len()).find(|i| !is_word(chars[*i])).unwrap_or(chars.len());
                push(&mut found, chars[at..end].iter().collect(), line, end)
            }
            _ if char.is_whitespace() => at + 1,
            _ => push(&mut found, char.into(), line, at + 1),
        };
        line += chars[at..end].iter().filter(|char| **char == '\n').count();
        at = end;
    }
    found
}

fn push(tokens: &mut Vec<Token>, token: String, line: usize, end: usize) -> usize {
    tokens.push((token, line));
    end
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Where a block comment that starts at `at` ends; they nest.
fn comment_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

/// Where a string ends whose first character is at `at`.
fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// Where a raw string that starts at `at` ends; `None` if none does.
fn raw_string(chars: &[char], at: usize) -> Option<usize> {
    if at > 0 && is_word(chars[at - 1]) {
        return None;
    }
    let start = (at..(at + 3).min(chars.len())).find(|i| !matches!(chars[*i], 'r' | 'b' | 'c'))?;
    if chars[at..start].last() != Some(&'r') {
        return None;
    }
    let hashes = chars[start..].iter().take_while(|char| **char == '#').count();
    if chars.get(start + hashes) != Some(&'"') {
        return None;
    }
    let ends =
        |i: &usize| chars[*i] == '"' && chars[*i + 1..].iter().take_while(|char| **char == '#').count() >= hashes;
    (start + hashes + 1..chars.len()).find(ends).map(|i| i + 1 + hashes)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    found: Source,
    /// Modules that the file calls by a short name.
    aliases: BTreeMap<String, Path>,
}

impl Reader {
    fn word(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.0.as_str())
    }

    /// Reads to the end of the file, or of the block around; `module` is where it stands.
    fn items(&mut self, module: &mut Path) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.word(0) {
                "#" if self.test_only() => self.skip_item(),
                // `+ use<…>` of an `impl Trait` declares nothing.
                "use" if self.word(1) != "<" => self.declaration(module),
                "mod" if self.word(2) == "{" => {
                    module.push(self.word(1).to_owned());
                    self.at += 3;
                    self.items(module);
                    module.pop();
                }
                "{" => (depth, self.at) = (depth + 1, self.at + 1),
                "}" if depth == 0 => {
                    self.at += 1;
                    return;
                }
                "}" => (depth, self.at) = (depth - 1, self.at + 1),
                _ if self.word(1) == "::" && self.starts_path() => self.path(module),
                _ => self.at += 1,
            }
        }
    }

    /// Whether the attribute here is `cfg` with `test` that is not negated.
    fn test_only(&self) -> bool {
        let end = self.closing(1);
        let inside: Vec<&str> = self.tokens[self.at..end].iter().map(|token| token.0.as_str()).collect();
        inside.get(2) == Some(&"cfg") && inside.contains(&"test") && !inside.contains(&"not")
    }

    /// The index after the bracket that closes the one `ahead`.
    fn closing(&self, ahead: usize) -> usize {
        let mut depth = 0;
        for i in self.at + ahead..self.tokens.len() {
            match self.tokens[i].0.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return i + 1;
            }
        }
        self.tokens.len()
    }

    /// Goes past the attributes here and what they are of.
    fn skip_item(&mut self) {
        while self.word(0) == "#" {
            self.at = self.closing(1);
        }
        let is_use = (0..3).any(|ahead| self.word(ahead) == "use");
        while self.at < self.tokens.len() {
            match self.word(0) {
                "mod" if self.word(2) == ";" => {
                    self.found.test_modules.insert(self.word(1).to_owned());
                    self.at += 1;
                }
                ";" => {
                    self.at += 1;
                    return;
                }
                "{" => {
                    self.at = self.closing(0);
                    if !is_use {
                        return;
                    }
                }
                "(" | "[" => self.at = self.closing(0),
                _ => self.at += 1,
            }
        }
    }

    /// A declaration of `use`, with all names of its tree.
    fn declaration(&mut self, module: &[String]) {
        let public = self.at > 0 && matches!(self.tokens[self.at - 1].0.as_str(), "pub" | ")");
        self.at += 1;
        let mut leaves = Vec::new();
        self.tree(&mut Vec::new(), &mut leaves);
        for (line, path, alias) in leaves {
            // A first word that is neither of these is a child module's or another crate's.
            let relative = [&["self".to_owned()], path.as_slice()].concat();
            let path = absolute(module, &path).or_else(|| absolute(module, &relative)).unwrap_or_default();
            self.aliases.insert(alias.clone(), path.clone());
            if public {
                self.found.exports.insert(alias, path.clone());
            }
            self.found.named.insert((line, path));
        }
    }

    fn tree(&mut self, before: &mut Path, leaves: &mut Vec<(usize, Path, String)>) {
        let depth = before.len();
        loop {
            match self.word(0).to_owned().as_str() {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    while !matches!(self.word(0), "}" | "") {
                        self.tree(before, leaves);
                        // A `;` here is no declaration's: what cannot be read is gone past, never waited for.
                        self.at += usize::from(matches!(self.word(0), "," | ";"));
                    }
                    self.at += 1;
                    break;
                }
                ";" | "," | "}" | "" => {
                    let line = self.tokens[self.at - 1].1;
                    let alias = before.last().cloned().unwrap_or_default();
                    leaves.push((line, before.clone(), alias));
                    break;
                }
                "as" => {
                    leaves.push((self.tokens[self.at].1, before.clone(), self.word(1).to_owned()));
                    self.at += 2;
                    break;
                }
                "self" if before.len() > depth || depth > 0 => self.at += 1,
                word => {
                    before.push(word.to_owned());
                    self.at += 1;
                }
            }
        }
        before.truncate(depth);
    }

    /// Whether a path that leads to a module of this crate starts here.
    fn starts_path(&self) -> bool {
        let before = self.at.checked_sub(1).map_or("", |i| self.tokens[i].0.as_str());
        let word = self.word(0);
        before != "::" && (matches!(word, "crate" | "super" | "self") || self.aliases.contains_key(word))
    }

    fn path(&mut self, module: &[String]) {
        let line = self.tokens[self.at].1;
        let mut words = vec![self.word(0).to_owned()];
        while self.word(1) == "::" && self.word(2).starts_with(|char: char| char.is_alphabetic() || char == '_') {
            words.push(self.word(2).to_owned());
            self.at += 2;
        }
        self.at += 1;
        let path = match self.aliases.get(&words[0]) {
            Some(alias) => Some([alias.as_slice(), &words[1..]].concat()),
            None => absolute(module, &words),
        };
        self.found.named.extend(path.map(|path| (line, path)));
    }
}

/// `words` from the crate's root on; `None` if they start elsewhere.
fn absolute(module: &[String], words: &[String]) -> Option<Path> {
    let mut path = match words.first()?.as_str() {
        "crate" => Path::new(),
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    let ups = words.iter().filter(|word| *word == "super").count();
    path.truncate(path.len().saturating_sub(ups));
    path.extend(words.iter().filter(|word| !matches!(word.as_str(), "crate" | "self" | "super")).cloned());
    Some(path)
}
