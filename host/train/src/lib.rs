//! Fine-tuning: full, LoRA, DoRA and QLoRA. Segments become token ids with a loss mask, rows become batches, batches steps.

pub mod batch;
mod checkpoint;
pub mod encode;
pub mod forecast;
pub mod hand_off;
pub mod run;
pub mod schedule;
pub mod token_cache;
