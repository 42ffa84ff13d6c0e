//! The marks of the families, in lower case.

/// An opening and a closing mark.
pub(super) struct Mark {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// Whether a closing mark alone ends reasoning that began with the text. Only where the mark has no other use.
    pub(super) may_lack_opening: bool,
}

const fn pair(open: &'static str, close: &'static str) -> Mark {
    Mark { open, close, may_lack_opening: true }
}

/// Marks of reasoning.
pub(super) const PAIRS: [Mark; 14] = [
    pair("<think>", "</think>"),       // Qwen3, DeepSeek-R1, GLM-4.5, Nemotron, Hunyuan, MiniMax
    pair("<thinking>", "</thinking>"), // models taught by prompts
    pair("<thought>", "</thought>"),   // EXAONE Deep
    pair("<thoughts>", "</thoughts>"), // models taught by prompts
    pair("<reasoning>", "</reasoning>"), // models taught by prompts
    pair("<seed:think>", "</seed:think>"), // Seed-OSS
    pair("<longcat_think>", "</longcat_think>"), // LongCat
    pair("[think]", "[/think]"),       // Magistral
    pair("◁think▷", "◁/think▷"),       // Kimi
    pair("<|start_thinking|>", "<|end_thinking|>"), // Command A
    pair("<|begin_of_thought|>", "<|end_of_thought|>"), // OpenThinker, Sky-T1
    pair("<|inner_prefix|>", "<|inner_suffix|>"), // Apertus
    pair("<|channel>thought", "<channel|>"), // Gemma 4
    pair("<unused94>thought", "<unused95>"), // MedGemma
];

const fn wrapper(open: &'static str, close: &'static str) -> Mark {
    Mark { open, close, may_lack_opening: false }
}

/// Marks around the answer, of families that mark it beside their reasoning.
pub(super) const WRAPPERS: [Mark; 2] =
    [wrapper("<|START_RESPONSE|>", "<|END_RESPONSE|>"), wrapper("<|begin_of_solution|>", "<|end_of_solution|>")];

/// The marks of texts in channels.
pub(super) struct Channels {
    /// A text in channels starts with one of these.
    pub(super) starts: [&'static str; 4],
    /// What opens the answer; the last one counts.
    pub(super) last: &'static str,
    /// What ends the answer.
    pub(super) ends: [&'static str; 3],
    /// What stands between the reasoning's parts.
    pub(super) noise: [&'static str; 8],
}

/// gpt-oss's.
pub(super) const CHANNELS: Channels = Channels {
    starts: ["<|channel|>", "<|start|>assistant", "<|message|>", "analysis<|message|>"],
    last: "<|channel|>final<|message|>",
    ends: ["<|return|>", "<|end|>", "<|call|>"],
    noise: [
        "<|channel|>analysis",
        "<|channel|>commentary",
        "<|start|>assistant",
        "<|channel|>",
        "<|message|>",
        "<|start|>",
        "<|end|>",
        "<|call|>",
    ],
};

/// The same where the tokenizer dropped the marks.
pub(super) const SPOKEN: Mark = wrapper("analysis", "assistantfinal");
