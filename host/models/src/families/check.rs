//! What no model can be, whatever its files say.

use super::{Architecture, Config, Scaling};
use diapason_core::{Error, Result};

impl Config {
    /// Refuses a shape that no model can have.
    pub fn check(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::data(what).hint("the model's configuration contradicts itself"));
        self.check_sizes()?;
        self.check_numbers()?;
        if !self.heads.is_multiple_of(self.kv_heads) {
            return wrong(format!("{} query heads cannot share {} key/value heads", self.heads, self.kv_heads));
        }
        if self.architecture == Architecture::Llama && !self.hidden_size.is_multiple_of(self.heads) {
            return wrong(format!("hidden_size {} is no multiple of the {} query heads", self.hidden_size, self.heads));
        }
        if let Scaling::LongRope { short, long, .. } = &self.scaling
            && [short, long].iter().any(|divisors| divisors.len() != self.head_dim / 2)
        {
            return wrong(format!("a head of {} has {} rotary divisors", self.head_dim, short.len()));
        }
        if !self.head_dim.is_multiple_of(2) {
            return wrong(format!("head_dim is {}, but rotary embeddings need an even one", self.head_dim));
        }
        Ok(())
    }

    /// Nothing is allocated, and no product taken, of a size beyond these.
    fn check_sizes(&self) -> Result<()> {
        let sizes = [
            ("vocab_size", self.vocab_size, 1 << 24),
            ("hidden_size", self.hidden_size, 1 << 20),
            ("intermediate_size", self.intermediate_size, 1 << 22),
            ("num_hidden_layers", self.layers, 10_000),
            ("num_attention_heads", self.heads, 1 << 16),
            ("num_key_value_heads", self.kv_heads, 1 << 16),
            ("head_dim", self.head_dim, 1 << 16),
            ("max_position_embeddings", self.max_positions, 1 << 30),
            ("sliding_window", self.sliding_window.unwrap_or(1), 1 << 30),
        ];
        match sizes.into_iter().find(|(_, size, most)| !(1..=*most).contains(size)) {
            Some((name, size, most)) => Err(Error::data(format!("{name} is {size}, expected 1 to {most}"))
                .hint("the model's configuration is damaged: no model of this family has such a size")),
            None => Ok(()),
        }
    }

    /// Refuses numbers that would make every activation infinite or not a number.
    fn check_numbers(&self) -> Result<()> {
        let positive = |value: f64| value > 0.0 && (value as f32).is_finite() && value as f32 > 0.0;
        let scaling = match self.scaling {
            Scaling::None => vec![],
            Scaling::Linear { factor } | Scaling::Dynamic { factor } => vec![("rope scaling's factor", factor)],
            Scaling::Yarn { factor, attention_factor, beta_fast, beta_slow, original_context, .. } => vec![
                ("rope scaling's factor", factor),
                ("attention_factor", attention_factor),
                ("beta_fast", beta_fast),
                ("beta_slow", beta_slow),
                ("original_max_position_embeddings", original_context),
                // Its logarithm is divided by.
                ("rope_theta − 1", self.rope_theta - 1.0),
            ],
            Scaling::LongRope { attention_factor, original_context, ref short, ref long } => {
                let divisors = short.iter().chain(long.iter()).map(|divisor| ("a rotary divisor", *divisor));
                let own =
                    [("attention_factor", attention_factor), ("original_max_position_embeddings", original_context)];
                own.into_iter().chain(divisors).collect()
            }
            Scaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => vec![
                ("rope scaling's factor", factor),
                ("low_freq_factor", low_freq_factor),
                ("high_freq_factor", high_freq_factor),
                ("original_max_position_embeddings", original_context),
                ("high_freq_factor − low_freq_factor", high_freq_factor - low_freq_factor),
            ],
        };
        let mut numbers = [("rope_theta", self.rope_theta)].into_iter().chain(scaling);
        if let Some((name, value)) = numbers.find(|(_, value)| !positive(*value)) {
            return Err(Error::data(format!("{name} is {value}, expected a finite number above 0"))
                .hint("the model's configuration is damaged"));
        }
        if !(self.norm_eps >= 0.0 && self.norm_eps < 1.0) {
            return Err(Error::data(format!("rms_norm_eps is {}, expected 0 or more and less than 1", self.norm_eps))
                .hint("the model's configuration is damaged"));
        }
        Ok(())
    }
}
