//! What can be wrong with a text whatever it says.

/// A fault in a text: its rule, what is wrong, what to do.
pub struct Fault {
    /// The rule's name.
    pub rule: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// All faults of a text, one of each kind at most.
pub fn faults(text: &str) -> Vec<Fault> {
    [replacement(text), control(text), mark(text), mojibake(text)].into_iter().flatten().collect()
}

fn replacement(text: &str) -> Option<Fault> {
    let at = text.chars().position(|character| character == '\u{fffd}')?;
    let message =
        format!("a replacement character (U+FFFD) at character {}: bytes were lost when the text was decoded", at + 1);
    Some(Fault {
        rule: "replacement-character",
        message,
        hint: "go back to the source and read it in its own encoding",
    })
}

fn control(text: &str) -> Option<Fault> {
    let bad = |c: char| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || ('\u{fdd0}'..='\u{fdef}').contains(&c);
    let (at, character) = text.chars().enumerate().find(|(_, character)| bad(*character))?;
    let message = format!("a control character (U+{:04X}) at character {}", u32::from(character), at + 1);
    Some(Fault { rule: "control-character", message, hint: "remove it: the model would learn to write it" })
}

fn mark(text: &str) -> Option<Fault> {
    let at = text.chars().position(|character| character == '\u{feff}')?;
    let message = format!("a byte order mark (U+FEFF) at character {}", at + 1);
    Some(Fault { rule: "byte-order-mark", message, hint: "remove it: it is invisible and costs tokens" })
}

/// UTF-8 that was read as Windows-1252 or Latin-1: a lead byte's letter, followed by what its continuation bytes turn into.
fn mojibake(text: &str) -> Option<Fault> {
    let characters: Vec<char> = text.chars().collect();
    let at = (0..characters.len()).find(|at| repairable(&characters[*at..]).is_some())?;
    let (length, meant) = repairable(&characters[at..])?;
    let seen: String = characters[at..at + length].iter().collect();
    let message = format!("“{seen}” at character {} is “{meant}” decoded twice", at + 1);
    Some(Fault { rule: "mojibake", message, hint: "read the source as UTF-8, not as Windows-1252 or Latin-1" })
}

/// The sequence that a text begins with, if its characters' Windows-1252 bytes are one character of UTF-8 that European text or
/// typography uses: how many characters it takes and what it means.
fn repairable(text: &[char]) -> Option<(usize, char)> {
    let length = match text.first()? {
        'Â' | 'Ã' | 'Ä' | 'Å' | 'Ð' | 'Ñ' => 2,
        'â' => 3,
        'ð' => 4,
        _ => return None,
    };
    let bytes: Vec<u8> = text.get(..length)?.iter().map(|character| byte(*character)).collect::<Option<_>>()?;
    Some((length, std::str::from_utf8(&bytes).ok()?.chars().next()?))
}

/// The Windows-1252 byte of a character; bytes that the code page leaves open are Latin-1's.
fn byte(character: char) -> Option<u8> {
    const HIGH: [char; 27] = [
        '€', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 'Ž', '‘', '’', '“', '”', '•', '–', '—', '˜', '™',
        'š', '›', 'œ', 'ž', 'Ÿ',
    ];
    const BYTES: [u8; 27] = [
        0x80, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8e, 0x91, 0x92, 0x93, 0x94, 0x95,
        0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9e, 0x9f,
    ];
    let high = || HIGH.iter().position(|known| *known == character).map(|index| BYTES[index]);
    u8::try_from(u32::from(character)).ok().or_else(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        faults(text).into_iter().map(|fault| fault.rule).collect()
    }

    #[test]
    fn good_text_in_many_scripts_is_left_alone() {
        for text in ["", "a\tb\r\n", "Ça, Ãngela, Åse, São Paulo, â, Âge", "東京 👩‍👩‍👧 Ελλάδα", "ÃO", "“quoted” – 20 €"]
        {
            assert!(rules(text).is_empty(), "{text}: {:?}", rules(text));
        }
    }

    #[test]
    fn faults_are_told_apart() {
        assert_eq!(rules("caf\u{fffd}"), ["replacement-character"]);
        assert_eq!(rules("a\0b"), ["control-character"]);
        assert_eq!(rules("\u{feff}a"), ["byte-order-mark"]);
        for text in ["cafÃ©", "donâ€™t", "20 Â°C", "ðŸ˜€"] {
            assert_eq!(rules(text), ["mojibake"], "{text}");
        }
        assert!(faults("cafÃ©")[0].message.contains("“é”"));
    }
}
