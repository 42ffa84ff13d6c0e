//! The keys of `config.json` that transformers 5.24 knows for these architectures, and what becomes of each here. What
//! changes nothing was found by reading `PreTrainedConfig`, the configuration classes and the modules that they are for.

use super::Architecture::{self, Llama, Mistral, Qwen2, Qwen3};

const ALL: &[Architecture] = &[Llama, Mistral, Qwen2, Qwen3];

/// Keys that are applied, and for which architectures. For the others transformers does not look at them.
pub(super) const APPLIED: [(&str, &[Architecture]); 25] = [
    ("architectures", ALL),
    ("attention_bias", &[Llama, Qwen3]),
    ("attention_dropout", ALL),
    ("head_dim", ALL),
    ("hidden_act", ALL),
    ("hidden_size", ALL),
    ("intermediate_size", ALL),
    ("layer_types", ALL),
    ("max_position_embeddings", ALL),
    ("max_window_layers", &[Qwen2, Qwen3]),
    ("mlp_bias", &[Llama]),
    ("model_type", ALL),
    ("num_attention_heads", ALL),
    ("num_hidden_layers", ALL),
    ("num_key_value_heads", ALL),
    ("original_max_position_embeddings", ALL),
    ("partial_rotary_factor", ALL),
    ("rms_norm_eps", ALL),
    ("rope_parameters", ALL),
    ("rope_scaling", ALL),
    ("rope_theta", ALL),
    ("sliding_window", ALL),
    ("tie_word_embeddings", ALL),
    ("use_sliding_window", &[Qwen2, Qwen3]),
    ("vocab_size", ALL),
];

/// Keys that are refused unless they are absent, null, or have one of these values, with what they mean.
pub(super) const REFUSED: [(&str, &[&str], &str); 15] = [
    ("attention_chunk_size", &[], "attention within chunks"),
    ("attention_multiplier", &["1", "1.0"], "other attention scores"),
    ("compression_config", &[], "compressed weights"),
    ("embedding_multiplier", &["1", "1.0"], "scaled embeddings"),
    ("is_causal", &["true"], "attention to later tokens"),
    ("is_encoder_decoder", &["false"], "an encoder before the decoder"),
    ("logits_scaling", &["1", "1.0"], "scaled logits"),
    ("per_layer_config", &[], "layers of different shapes"),
    ("quantization", &[], "weights that MLX quantised"),
    ("residual_multiplier", &["1", "1.0"], "a scaled residual stream"),
    ("rope_interleaved", &["false"], "rotary embeddings of neighbouring elements"),
    ("text_config", &[], "a model of more than text"),
    ("transformers_weights", &[], "weights in another file"),
    ("use_mrope", &["false"], "rotary embeddings in several dimensions"),
    ("vision_config", &[], "a model of more than text"),
];

/// Keys that change no logit: names, versions, training, the shape of what is returned, generation (which transformers
/// takes from here into the generation configuration), and other heads than the language model's. Two are looked at
/// elsewhere: `eos_token_id` and `quantization_config`.
pub(super) const INERT: [&str; 97] = [
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_attn_implementation_internal",
    "_commit_hash",
    "_experts_implementation_internal",
    "_flash_attn_2_enabled",
    "_name_or_path",
    "add_cross_attention",
    "assistant_confidence_threshold",
    "assistant_lookbehind",
    "attn_implementation",
    "auto_map",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "chunk_size_feed_forward",
    "classifier_dropout",
    "cross_attention_hidden_size",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "dual_chunk_attention_config",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "encoder_repetition_penalty",
    "eos_token_id",
    "epsilon_cutoff",
    "eta_cutoff",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "gradient_checkpointing",
    "id2label",
    "initializer_range",
    "is_decoder",
    "is_llama_config",
    "keep_quantized",
    "label2id",
    "length_penalty",
    "loss_type",
    "mask_token_id",
    "max_length",
    "max_new_tokens",
    "max_sequence_length",
    "min_length",
    "min_new_tokens",
    "model_max_length",
    "name_or_path",
    "neftune_noise_alpha",
    "no_repeat_ngram_size",
    "num_assistant_tokens",
    "num_assistant_tokens_schedule",
    "num_beam_groups",
    "num_beams",
    "num_labels",
    "num_logits_to_keep",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "pad_token_id",
    "penalty_alpha",
    "prefix",
    "pretraining_tp",
    "problem_type",
    "pruned_heads",
    "quantization_config",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "suppress_tokens",
    "target_lookbehind",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tie_last_hidden_states",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "typical_p",
    "unk_token_id",
    "unsloth_fixed",
    "unsloth_version",
    "use_bfloat16",
    "use_cache",
    "use_flash_attention_2",
    "use_flash_attn",
    "use_return_dict",
];

/// Keys of `rope_parameters` and `rope_scaling`. Those that a scaling does not use, transformers passes over.
pub(super) const ROPE: [&str; 17] = [
    "attention_factor",
    "beta_fast",
    "beta_slow",
    "factor",
    "finetuned",
    "high_freq_factor",
    "long_factor",
    "low_freq_factor",
    "mscale",
    "mscale_all_dim",
    "original_max_position_embeddings",
    "partial_rotary_factor",
    "rope_theta",
    "rope_type",
    "short_factor",
    "truncate",
    "type",
];

/// Whether the architecture's modules look at this key.
pub(super) fn applies(name: &str, architecture: Architecture) -> bool {
    APPLIED.iter().any(|(known, for_these)| *known == name && for_these.contains(&architecture))
}

/// What a key of the top level would change that is not supported; `None` if it may stand.
pub(super) fn objection(name: &str, value: &serde_json::Value) -> Option<&'static str> {
    if value.is_null() || INERT.contains(&name) || APPLIED.iter().any(|(known, _)| *known == name) {
        return None;
    }
    let refused = REFUSED.iter().find(|(known, ..)| *known == name);
    match refused {
        Some((_, neutral, _)) if neutral.contains(&value.to_string().as_str()) => None,
        Some((_, _, meaning)) => Some(meaning),
        None => Some("a key that is not known for this architecture"),
    }
}
