//! The fields of `adapter_config.json` that PEFT 0.21.2 knows, and what becomes of each here.

/// Fields that change nothing about a trained adapter: names, versions, training, and settings of what other fields
/// switch on. `fan_in_fan_out` is about GPT-2's transposed layers: PEFT takes it as false for the layers that there are
/// here. The `*_config` of initialisations are read by nobody once the adapter is trained.
pub(super) const INERT: [&str; 16] = [
    "auto_mapping",
    "base_model_name_or_path",
    "corda_config",
    "ensure_weight_tying",
    "eva_config",
    "fan_in_fan_out",
    "inference_mode",
    "loftq_config",
    "lora_dropout",
    "lora_ga_config",
    "megatron_core",
    "merge_weights",
    "peft_version",
    "qalora_group_size",
    "revision",
    "runtime_config",
];

/// Fields that PEFT fails at where they are null. Left out, they have a default.
pub(super) const NEVER_NULL: [&str; 6] = ["alpha_pattern", "bias", "lora_alpha", "lora_dropout", "r", "rank_pattern"];

/// Fields that are applied, or looked at by a function of their own.
pub(super) const APPLIED: [&str; 16] = [
    "alpha_pattern",
    "bias",
    "exclude_modules",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "lora_alpha",
    "modules_to_save",
    "peft_type",
    "r",
    "rank_pattern",
    "target_modules",
    "task_type",
    "trainable_token_indices",
    "use_dora",
    "use_rslora",
];

/// Fields that are refused unless they are off, with what they do.
pub(super) const REFUSED: [(&str, &str); 12] = [
    ("alora_invocation_tokens", "the adapter acts only behind these tokens of a text (aLoRA)"),
    ("arrow_config", "several adapters are routed by token (Arrow)"),
    ("enable_lora", "parts of a merged layer are adapted"),
    ("kasa_config", "the base's weights are cut down first (KaSA)"),
    ("layer_replication", "the base's layers are repeated"),
    ("lora_bias", "the update has a bias of its own"),
    ("megatron_config", "the layers are those of Megatron"),
    ("monteclora_config", "the adapter is sampled (MonteCLoRA)"),
    ("target_parameters", "parameters outside of linear layers are adapted"),
    ("use_bdlora", "the matrices are block-diagonal (BD-LoRA)"),
    ("use_qalora", "the adapter's input is pooled (QA-LoRA)"),
    ("velora_config", "the gradients of training were compressed (VeLoRA), and its file holds their projections"),
];
