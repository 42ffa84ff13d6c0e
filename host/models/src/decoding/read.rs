//! From the fields of a file to rules, with the types that transformers asks for.

use super::{Rules, Said};
use diapason_core::Result;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What to do about a value that transformers refuses.
const WRONG: &str = "transformers refuses it too; correct the file, or remove the field";

impl Rules {
    /// Reads the fields. `vocabulary` is the number of logits.
    ///
    /// # Errors
    /// A field asks for what is not supported, nobody knows it, or transformers refuses its value; each is named with its
    /// file and line.
    pub(crate) fn read(said: &Said, vocabulary: usize) -> Result<Self> {
        said.refuse_unsupported()?;
        let reader = Reader { said, vocabulary };
        let rules = Self {
            biases: reader.biases()?,
            bad_words: reader.bad_words()?,
            prompt_penalty: reader.penalty("encoder_repetition_penalty")?,
            penalty: reader.penalty("repetition_penalty")?,
            ngram: reader.size("no_repeat_ngram_size")?,
            prompt_ngram: reader.size("encoder_no_repeat_ngram_size")?,
            min_length: reader.min_length()?,
            min_new_tokens: reader.size("min_new_tokens")?,
            first: reader.first()?,
            last: reader.last()?,
            finite: reader.flag("remove_invalid_values")?,
            decay: reader.decay()?,
            suppressed: reader.suppressed("suppress_tokens")?,
            begin_suppressed: reader.suppressed("begin_suppress_tokens")?,
        };
        reader.check_forced(&rules)?;
        Ok(rules)
    }
}

struct Reader<'a> {
    said: &'a Said,
    vocabulary: usize,
}

impl Reader<'_> {
    /// A penalty: a strictly positive float, in Python's sense of the type, unless it is 1.
    fn penalty(&self, key: &str) -> Result<Option<f64>> {
        match self.said.get(key) {
            None => Ok(None),
            Some(value) if value.as_f64() == Some(1.0) => Ok(None),
            Some(value) => match value.as_f64().filter(|number| value.is_f64() && *number > 0.0) {
                Some(number) => Ok(Some(number)),
                None => self.said.refuse(key, "expected a number above 0 with a decimal point, such as 1.2", WRONG),
            },
        }
    }

    /// A whole number; what is not above 0 is off.
    fn size(&self, key: &str) -> Result<usize> {
        match self.said.get(key) {
            None => Ok(0),
            Some(value) => match value.as_i64() {
                Some(number) => Ok(usize::try_from(number).unwrap_or(0)),
                None => self.said.refuse(key, "expected a whole number", WRONG),
            },
        }
    }

    /// `min_new_tokens`, whatever its value, takes its place.
    fn min_length(&self) -> Result<usize> {
        let length = self.size("min_length")?;
        Ok(if self.said.get("min_new_tokens").is_some() { 0 } else { length })
    }

    fn flag(&self, key: &str) -> Result<bool> {
        match self.said.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => self.said.refuse(key, "expected true or false", WRONG),
        }
    }

    fn token(&self, value: &Value) -> Option<u32> {
        value.as_u64().filter(|id| (*id as usize) < self.vocabulary).and_then(|id| u32::try_from(id).ok())
    }

    fn tokens(&self, value: &Value) -> Option<Vec<u32>> {
        value.as_array()?.iter().map(|id| self.token(id)).collect()
    }

    fn first(&self) -> Result<Option<u32>> {
        const KEY: &str = "forced_bos_token_id";
        let Some(value) = self.said.get(KEY) else { return Ok(None) };
        match self.token(value) {
            Some(id) => Ok(Some(id)),
            None => self.said.refuse(KEY, &format!("expected a token id below {}", self.vocabulary), WRONG),
        }
    }

    fn last(&self) -> Result<Vec<u32>> {
        const KEY: &str = "forced_eos_token_id";
        let Some(value) = self.said.get(KEY) else { return Ok(Vec::new()) };
        match self.token(value).map(|id| vec![id]).or_else(|| self.tokens(value)).filter(|ids| !ids.is_empty()) {
            Some(ids) => Ok(ids),
            None => self.said.refuse(KEY, &format!("expected token ids below {}", self.vocabulary), WRONG),
        }
    }

    /// Ids beyond the vocabulary, and negative ones, suppress nothing.
    fn suppressed(&self, key: &str) -> Result<Vec<u32>> {
        let Some(value) = self.said.get(key) else { return Ok(Vec::new()) };
        let ids: Option<Vec<i64>> = value.as_array().and_then(|list| list.iter().map(Value::as_i64).collect());
        let known = |id: i64| usize::try_from(id).is_ok_and(|id| id < self.vocabulary);
        match ids {
            Some(ids) => Ok(ids.into_iter().filter(|id| known(*id)).map(|id| id as u32).collect()),
            None => self.said.refuse(key, "expected a list of token ids", WRONG),
        }
    }

    fn bad_words(&self) -> Result<Vec<Vec<u32>>> {
        const KEY: &str = "bad_words_ids";
        let Some(value) = self.said.get(KEY) else { return Ok(Vec::new()) };
        let lists = value.as_array().and_then(|lists| lists.iter().map(|list| self.tokens(list)).collect());
        match lists.filter(|lists: &Vec<Vec<u32>>| !lists.is_empty()) {
            Some(lists) => Ok(lists),
            None => self.said.refuse(KEY, &format!("expected lists of token ids below {}", self.vocabulary), WRONG),
        }
    }

    /// Of a sequence that is named twice the later bias counts, in the place of the first.
    fn biases(&self) -> Result<Vec<(Vec<u32>, f32)>> {
        const KEY: &str = "sequence_bias";
        let Some(value) = self.said.get(KEY) else { return Ok(Vec::new()) };
        let entry = |entry: &Value| match entry.as_array()?.as_slice() {
            [ids, bias] if bias.is_f64() => Some((self.tokens(ids)?, bias.as_f64()? as f32)),
            _ => None,
        };
        let entries: Option<Vec<(Vec<u32>, f32)>> =
            value.as_array().and_then(|entries| entries.iter().map(entry).collect());
        let Some(entries) = entries.filter(|entries| !entries.is_empty()) else {
            let expected = "expected a list such as [[[5, 6], -2.0]]: token ids of the vocabulary, and a number with a \
                            decimal point";
            return self.said.refuse(KEY, expected, WRONG);
        };
        let last: BTreeMap<Vec<u32>, f32> = entries.iter().cloned().collect();
        let mut seen = BTreeSet::new();
        let first = entries.iter().filter(|(ids, _)| seen.insert(ids));
        Ok(first.map(|(ids, bias)| (ids.clone(), last.get(ids).copied().unwrap_or(*bias))).collect())
    }

    fn decay(&self) -> Result<Option<(i64, f64)>> {
        const KEY: &str = "exponential_decay_length_penalty";
        let Some(value) = self.said.get(KEY) else { return Ok(None) };
        let pair = match value.as_array().map(Vec::as_slice) {
            Some([start, factor]) => start.as_i64().zip(factor.as_f64()),
            _ => None,
        };
        match pair {
            Some(pair) => Ok(Some(pair)),
            None => self.said.refuse(KEY, "expected a whole number of tokens and a factor, such as [30, 1.05]", WRONG),
        }
    }

    /// Tokens that are forced and suppressed at once.
    fn check_forced(&self, rules: &Rules) -> Result<()> {
        let first: Vec<u32> = rules.first.into_iter().collect();
        for (key, forced) in [("forced_bos_token_id", &first), ("forced_eos_token_id", &rules.last)] {
            if !forced.is_empty() && forced.iter().all(|id| rules.suppressed.contains(id)) {
                return self.said.refuse(key, "`suppress_tokens` suppresses what is forced", WRONG);
            }
        }
        Ok(())
    }
}
