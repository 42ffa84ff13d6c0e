//! Servers that speak OpenAI's protocol, as engines.
//!
//! [`Remote`] asks one model of one server, by `/chat/completions` or `/completions`, several requests at a time. Faults
//! that pass are tried again, a budget ends the work before more is asked, and whatever cannot be honoured is refused by
//! name. What a server does not say cannot be found out: one that ignores `seed`, `temperature` or `top_p` looks like one
//! that heeds them, and its own defaults for what the protocol has no words for (`top_k`, `min_p`, penalties) apply.

mod body;
mod budget;
mod call;
mod fault;
mod http;
mod likelihood;
mod origin;
mod pace;
mod remote;
mod reply;
mod token;
mod work;

pub use budget::Spent;
pub use origin::Origin;
pub use remote::Remote;
