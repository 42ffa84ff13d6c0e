//! The operations that a Llama spends its time in, each with its own backward.
//!
//! Every file states its maths and its shapes on top and carries the plain version that it is tested against
//! (`reference`, composed of candle operations). All tensors are f32 and contiguous unless a kernel says otherwise.

mod attention;
mod rms_norm;
mod rope;
mod swiglu;

pub use attention::{Span, attention};
pub use rms_norm::rms_norm;
pub use rope::rope;
pub use swiglu::swiglu;
