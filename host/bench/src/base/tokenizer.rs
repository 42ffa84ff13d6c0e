//! A small byte-level BPE for the embedded base.

use super::tasks::Row;
use anyhow::{Result, anyhow};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, Tokenizer, TokenizerBuilder};

/// Tokens, special ones included.
pub(super) const VOCABULARY: usize = 1024;

const SPECIAL: [&str; 5] = ["<|pad|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>"];

/// Learns the merges from the rows' text.
pub(super) fn train(rows: &[Row]) -> Result<Tokenizer> {
    let bytes = ByteLevel::new(false, true, true);
    let mut tokenizer = TokenizerBuilder::new()
        .with_model(BPE::default())
        .with_normalizer(None::<tokenizers::NormalizerWrapper>)
        .with_pre_tokenizer(Some(bytes))
        .with_post_processor(None::<tokenizers::PostProcessorWrapper>)
        .with_decoder(Some(bytes))
        .build()
        .map_err(|error| anyhow!(error))?;
    let mut trainer = BpeTrainer::builder()
        .vocab_size(VOCABULARY)
        .special_tokens(SPECIAL.map(|token| AddedToken::from(token, true)).into())
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .show_progress(false)
        .build();
    let texts = rows.iter().map(|row| format!("{} {}", row.prompt, row.answer));
    tokenizer.train(&mut trainer, texts).map_err(|error| anyhow!(error))?;
    let text = tokenizer.to_string(false).map_err(|error| anyhow!(error))?;
    text.parse().map_err(|error: tokenizers::Error| anyhow!(error))
}
