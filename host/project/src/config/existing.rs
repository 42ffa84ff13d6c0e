//! What contradicts an existing adapter: it is evaluated as it is, so settings of training would be ignored.

use diapason_core::config::Config;
use diapason_core::schema::Problem;

/// Keys of `[train]` that say in which form the weights are trained, which is not the form in which they answer.
const FORM: [&str; 3] = ["method", "compute", "double_quantization"];

/// Problems of a configuration with `model.adapter`; `given` lists the keys that stand in `[train]`.
pub(super) fn problems(config: &Config, given: Option<&[String]>) -> Vec<Problem> {
    if config.adapter().is_none() {
        return Vec::new();
    }
    let idle = "`model.adapter` names an existing adapter, so nothing is trained";
    let hint = "remove it, or remove `model.adapter` to train an adapter here";
    let form = "remove it; in which precision the model answers is `model.precision`: `auto`, `f32`, `bf16` or `nf4`";
    let hint_of = |key: &str| if FORM.contains(&key) { form } else { hint };
    let ignored = given.unwrap_or_default().iter();
    let mut found: Vec<Problem> = ignored
        .map(|key| Problem::new(format!("/train/{key}"), format!("would be ignored: {idle}"), hint_of(key)))
        .collect();
    if config.data.as_ref().is_some_and(|data| data.held_out > 0.0) {
        found.push(Problem::new("/data/held_out", format!("would be ignored: {idle}"), hint));
    }
    if config.data.as_ref().is_some_and(|data| data.system.is_some()) {
        found.push(Problem::new("/data/system", format!("would be ignored: {idle}"), hint));
    }
    found
}
