//! Where a server's answers come from: all that it says of itself.

use crate::reply::Served;
use diapason_core::config::{Endpoint, Protocol};
use diapason_core::{Error, Result, digest};
use serde::Serialize;
use serde_json::Value;

/// What shapes a server's answers, as far as it can be seen from outside.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Origin {
    /// The server.
    pub url: String,
    /// The model's name in requests.
    pub model: String,
    /// Whose template renders conversations: the server's (`chat`) or ours (`completions`).
    pub protocol: Protocol,
    /// The model's entry in `/models`, without its dates; `None` where the server has no such list or does not name it.
    pub listed: Option<Value>,
    /// The model's name in answers.
    pub answers_as: Option<String>,
    /// The fingerprint of what the server runs on, where it gives one.
    pub fingerprint: Option<String>,
}

impl Origin {
    /// Reads what the server says of itself in its list of models and in an answer.
    ///
    /// Errors if it answers as a model other than the one asked for.
    pub(crate) fn new(endpoint: &Endpoint, url: &str, models: Option<&Value>, served: Option<Served>) -> Result<Self> {
        let listed = models.and_then(|models| entry(models, &endpoint.model));
        let served = served.unwrap_or_default();
        let agrees = |name: &String| {
            listed.is_some() || name.starts_with(&endpoint.model) || endpoint.model.starts_with(name.as_str())
        };
        if let Some(other) = served.model.as_ref().filter(|name| !agrees(name)) {
            let asked = &endpoint.model;
            return Err(Error::config(format!("{url} was asked for the model `{asked}` and answers as `{other}`"))
                .hint("write the server's own name of the model that is meant into `endpoint.model`"));
        }
        Ok(Self {
            url: url.to_owned(),
            model: endpoint.model.clone(),
            protocol: endpoint.protocol,
            listed,
            answers_as: served.model,
            fingerprint: served.fingerprint,
        })
    }

    /// One digest of all of it.
    pub fn digest(&self) -> String {
        digest::of_bytes(serde_json::json!(self).to_string().as_bytes())
    }
}

/// The entry of `model`, without what changes though the model does not.
fn entry(models: &Value, model: &str) -> Option<Value> {
    let is_it = |entry: &&Value| {
        let aliases = entry["aliases"].as_array().into_iter().flatten();
        aliases.chain([&entry["id"]]).any(|name| name == model)
    };
    let mut entry = models["data"].as_array()?.iter().find(is_it)?.clone();
    for key in ["created", "permission"] {
        entry.as_object_mut()?.shift_remove(key);
    }
    Some(entry)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn endpoint(model: &str) -> Endpoint {
        serde_json::from_value(json!({"url": "http://localhost/v1", "model": model})).unwrap()
    }

    fn origin(asked: &str, models: Option<Value>, answers_as: &str, fingerprint: &str) -> Result<Origin> {
        let served = Served { model: Some(answers_as.into()), fingerprint: Some(fingerprint.into()) };
        Origin::new(&endpoint(asked), "http://localhost/v1", models.as_ref(), Some(served))
    }

    #[test]
    fn another_model_is_refused_and_a_dated_or_listed_name_is_not() {
        origin("gpt-4o", None, "gpt-4o-2024-08-06", "").unwrap();
        origin("vendor/m:fast", None, "vendor/m", "").unwrap();
        let models = json!({"data": [{"id": "a"}, {"id": "/m.gguf", "aliases": ["support-bot"]}]});
        origin("support-bot", Some(models.clone()), "/m.gguf", "").unwrap();
        let error = origin("x", Some(models), "/m.gguf", "").unwrap_err();
        assert_eq!(error.to_string(), "http://localhost/v1 was asked for the model `x` and answers as `/m.gguf`");
    }

    #[test]
    fn every_part_changes_the_digest_but_dates_do_not() {
        let models =
            |created: u64, size: u64| Some(json!({"data": [{"id": "m", "created": created, "meta": {"size": size}}]}));
        let known = origin("m", models(1, 9), "m", "f").unwrap().digest();
        assert_eq!(known, origin("m", models(2, 9), "m", "f").unwrap().digest());
        let others = [
            origin("m", models(1, 8), "m", "f"),
            origin("m", None, "m", "f"),
            origin("m", models(1, 9), "m-2", "f"),
            origin("m", models(1, 9), "m", "g"),
            Origin::new(
                &endpoint("m"),
                "http://other/v1",
                models(1, 9).as_ref(),
                Some(Served { model: Some("m".into()), fingerprint: Some("f".into()) }),
            ),
        ];
        for other in others {
            assert_ne!(known, other.unwrap().digest());
        }
    }
}
