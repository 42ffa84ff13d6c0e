//! Servers that speak OpenAI's protocol, as engines.
//!
//! [`Remote`] asks one model of one server, by `/chat/completions` or `/completions`, several requests at a time. Faults
//! that pass are tried again, a budget ends the work before more is asked, and whatever cannot be honoured is refused by
//! name.
//!
//! What a server does not say cannot be found out. One that ignores `seed`, `temperature`, `top_p`, `tools` or
//! `chat_template_kwargs` looks like one that heeds them (llama.cpp's drops `tools` that its model's template has no place for).
//! Its own defaults for what the protocol has no words for (`top_k`, `min_p`, penalties) apply. The number of tokens is the
//! server's: the token that ends a turn is often among them, and thoughts are where it does not count them apart. A
//! server of completions may put a beginning-of-text token in front of a prompt whose template has written one already.

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
