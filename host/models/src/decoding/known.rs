//! The fields of `generation_config.json` that transformers 5.24 knows, those by which GGUF files give llama.cpp's programs
//! their defaults (`general.sampling.…`), and what becomes of each here. What changes nothing was found by reading `GenerationConfig`, `_get_logits_processor`, `_get_stopping_criteria` and `_sample`, and is held
//! against transformers' answers by `tests/oracles/decoding.py`.

use serde_json::Value;

/// Fields that are applied to every answer, with the values that switch them off.
pub(super) const APPLIED: [(&str, &[&str]); 14] = [
    ("bad_words_ids", &[]),
    ("begin_suppress_tokens", &["[]"]),
    ("encoder_no_repeat_ngram_size", &["0"]),
    ("encoder_repetition_penalty", &["1", "1.0"]),
    ("exponential_decay_length_penalty", &[]),
    ("forced_bos_token_id", &[]),
    ("forced_eos_token_id", &[]),
    ("min_length", &["0"]),
    ("min_new_tokens", &["0"]),
    ("no_repeat_ngram_size", &["0"]),
    ("remove_invalid_values", &["false"]),
    ("repetition_penalty", &["1", "1.0"]),
    ("sequence_bias", &[]),
    ("suppress_tokens", &["[]"]),
];

/// Fields whose say is the project's: how long an answer may be, and whether and how it is sampled. `diapason.toml` and the
/// command line always give these, as lm-evaluation-harness always gives `do_sample` and `max_new_tokens`: a temperature of 0
/// is greedy whatever the file says, another samples by `temperature` and `top_p` alone.
pub(super) const PROJECT: [(&str, &[&str]); 16] = [
    ("do_sample", &[]),
    ("epsilon_cutoff", &["0", "0.0"]),
    ("eta_cutoff", &["0", "0.0"]),
    ("general.sampling.min_p", &["0.0"]),
    ("general.sampling.sequence", &[]),
    ("general.sampling.temp", &[]),
    ("general.sampling.top_k", &["0"]),
    ("general.sampling.top_p", &["1.0"]),
    ("max_length", &[]),
    ("max_new_tokens", &[]),
    ("min_p", &["0", "0.0"]),
    ("temperature", &[]),
    ("top_h", &["1", "1.0"]),
    ("top_k", &["0"]),
    ("top_p", &[]),
    ("typical_p", &["1", "1.0"]),
];

const CACHES: &[&str] = &[
    "\"dynamic\"",
    "\"hybrid\"",
    "\"hybrid_chunked\"",
    "\"offloaded\"",
    "\"offloaded_hybrid\"",
    "\"offloaded_hybrid_chunked\"",
    "\"offloaded_static\"",
    "\"sliding_window\"",
    "\"static\"",
];

/// Fields that are refused unless they are absent, null, or have one of these values, with what they ask for.
pub(super) const REFUSED: [(&str, &[&str], &str); 31] = [
    ("assistant_early_exit", &[], "drafts by the model's first layers"),
    ("assistant_ensemble_weight", &[], "a mixture with another model"),
    ("assistant_model", &[], "drafts by another model"),
    ("cache_implementation", CACHES, "keys and values of less precision, or continuous batching"),
    ("compile_config", &[], "settings of a compiler, which transformers does not take from a file"),
    ("constraints", &[], "constrained beam search"),
    ("dola_layers", &[], "contrasted layers (DoLa)"),
    ("early_stopping", &["false", "true", "\"never\""], "a way to end beam search that transformers does not know"),
    ("force_words_ids", &[], "constrained beam search"),
    ("general.sampling.mirostat", &["0"], "sampling to a set perplexity (Mirostat)"),
    ("general.sampling.penalty_repeat", &["1.0"], "llama.cpp's penalty of the latest tokens"),
    ("general.sampling.xtc_probability", &["0.0"], "sampling without the likeliest tokens (XTC)"),
    ("guidance_scale", &["1", "1.0"], "guidance by a second, unconditional pass"),
    ("is_assistant", &["false"], "answers that end where the model is unsure"),
    ("logits_processor", &[], "an argument of transformers' `generate`, which it does not take from a file"),
    ("max_time", &[], "answers that end by the clock"),
    ("negative_prompt_attention_mask", &[], "guidance by a second prompt"),
    ("negative_prompt_ids", &[], "guidance by a second prompt"),
    ("num_beam_groups", &["1"], "groups of beams"),
    ("num_beams", &["1"], "beam search"),
    ("num_return_sequences", &["1"], "several answers to every prompt"),
    ("penalty_alpha", &["0", "0.0"], "contrastive search"),
    ("prefix_allowed_tokens_fn", &[], "an argument of transformers' `generate`, which it does not take from a file"),
    ("speculation_type", &[], "drafts by another model"),
    ("stop_strings", &[], "texts that end an answer, for which transformers has to be given the tokenizer"),
    ("stopping_criteria", &[], "an argument of transformers' `generate`, which it does not take from a file"),
    ("streamer", &[], "an argument of transformers' `generate`, which it does not take from a file"),
    ("synced_gpus", &[], "an argument of transformers' `generate`, which it does not take from a file"),
    ("token_healing", &["false"], "prompts whose last token is chosen anew"),
    ("use_mtp", &["false"], "drafts by the model's own further heads"),
    ("watermarking_config", &[], "a watermark"),
];

/// Fields that change no answer: special tokens that are looked at elsewhere (`eos_token_id`) or that pad, what `generate`
/// returns beside the answer, how fast it works, and settings of what other fields switch on. `renormalize_logits` takes the
/// same number from every logit. The last lines are what publishers of these architectures wrote for programs of their own.
pub(super) const INERT: [&str; 54] = [
    "_commit_hash",
    "_from_model_config",
    "_original_object_hash",
    "assistant_confidence_threshold",
    "assistant_lookbehind",
    "bos_token_id",
    "cache_config",
    "continuous_batching_config",
    "decoder_start_token_id",
    "disable_compile",
    "diversity_penalty",
    "eos_token_id",
    "general.sampling.mirostat_eta",
    "general.sampling.mirostat_tau",
    "general.sampling.penalty_last_n",
    "general.sampling.xtc_threshold",
    "length_penalty",
    "low_memory",
    "max_cache_len",
    "max_matching_ngram_size",
    "num_assistant_tokens",
    "num_assistant_tokens_schedule",
    "output_attentions",
    "output_hidden_states",
    "output_logits",
    "output_scores",
    "pad_token_id",
    "prefill_chunk_size",
    "prompt_lookup_num_tokens",
    "renormalize_logits",
    "return_dict_in_generate",
    "return_legacy_cache",
    "target_lookbehind",
    "transformers_version",
    "use_cache",
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_name_or_path",
    "architectures",
    "assistant_token_id",
    "attn_implementation",
    "chat_format",
    "dtype",
    "is_decoder",
    "is_encoder_decoder",
    "max_window_size",
    "model_type",
    "name_or_path",
    "torch_dtype",
    "trust_remote_code",
    "unsloth_fixed",
    "unsloth_version",
    "user_token_id",
    "vocab_size",
];

/// What becomes of a field with this value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It changes nothing: inert, null, or switched off.
    Inert,
    /// It is applied.
    Applied,
    /// The project says it.
    Project,
    /// It is refused, for what it asks for.
    Refused(&'static str),
    /// Nobody knows it.
    Unknown,
}

/// What becomes of the field `name`.
pub(super) fn fate(name: &str, value: &Value) -> Fate {
    let text = value.to_string();
    let off = |neutral: &[&str]| neutral.contains(&text.as_str());
    let fields = |table: &'static [(&str, &[&str])]| table.iter().find(|(known, _)| *known == name);
    if value.is_null() || INERT.contains(&name) {
        return Fate::Inert;
    }
    for (table, fate) in [(&APPLIED[..], Fate::Applied), (&PROJECT[..], Fate::Project)] {
        if let Some((_, neutral)) = fields(table) {
            return if off(neutral) { Fate::Inert } else { fate };
        }
    }
    match REFUSED.iter().find(|(known, ..)| *known == name) {
        Some((_, neutral, _)) if off(neutral) => Fate::Inert,
        Some((_, _, meaning)) => Fate::Refused(meaning),
        None => Fate::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_field_stands_in_one_table() {
        let names = APPLIED.iter().chain(&PROJECT).map(|(name, _)| *name);
        let names: Vec<&str> = names.chain(REFUSED.iter().map(|(name, ..)| *name)).chain(INERT).collect();
        let unique: BTreeSet<&&str> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
    }
}
