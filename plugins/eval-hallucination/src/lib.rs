//! What an answer says that its context does not support. See the package's README for the measures, settings and limits.

mod abstention;
#[cfg(test)]
mod halueval;
mod support;
mod words;

use diapason_plugin::{Evaluator, Judgement, Measure, MeasureInfo, Observation, Reasoning, Result, Sample};
use schemars::JsonSchema;
use serde::Deserialize;
use support::Context;

/// At most so many notes of one kind.
const NOTES: usize = 5;

/// What counts as support and as declining.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The prompt supports answers too. A question's own words repeated in the answer are then no invention.
    pub prompt_supports: bool,
    /// Judge samples without a context against their prompt alone instead of leaving them unscored.
    pub fall_back_to_prompt: bool,
    /// All samples are unanswerable, whatever their tag `answerable` says.
    pub unanswerable: bool,
    /// Further phrases that decline an answer.
    pub abstention_phrases: Vec<String>,
    /// What becomes of reasoning (`<think>…</think>`) before the answer.
    pub reasoning: Reasoning,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prompt_supports: true,
            fall_back_to_prompt: false,
            unanswerable: false,
            abstention_phrases: Vec::new(),
            reasoning: Reasoning::default(),
        }
    }
}

/// What answers say that their context does not support.
pub struct Hallucination(Settings);

impl Evaluator for Hallucination {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self> {
        Ok(Self(settings))
    }

    fn measures(&self) -> Vec<MeasureInfo> {
        vec![
            MeasureInfo::binary("hallucinated", "answers with an unsupported number, name or quote").lower_is_better(),
            MeasureInfo::binary("unsupported-numbers", "answers with a number not in the context").lower_is_better(),
            MeasureInfo::binary("unsupported-entities", "answers with a name not in the context").lower_is_better(),
            MeasureInfo::binary("unsupported-quotes", "answers with a quote not in the context").lower_is_better(),
            MeasureInfo::binary("answered", "answers that do not decline"),
            MeasureInfo::binary("abstained-correctly", "declines exactly where there is no answer"),
            MeasureInfo { bounds: None, ..MeasureInfo::number("length-words", "length of the answer in words") },
        ]
    }

    fn reasoning(&self) -> Reasoning {
        self.0.reasoning
    }

    fn score(&self, observation: &Observation) -> Result<Judgement> {
        let answer = observation.answer()?;
        let Some(support) = self.support(&observation.sample) else {
            return Ok(Judgement::unscored(
                "the sample has no context; set `fall_back_to_prompt` to judge by its prompt",
            ));
        };
        Ok(self.judge(answer, &Context::new(&support), self.is_answerable(&observation.sample)))
    }
}

impl Hallucination {
    fn judge(&self, answer: &str, context: &Context, answerable: bool) -> Judgement {
        let signals = [
            ("unsupported-numbers", context.unsupported_numbers(answer)),
            ("unsupported-entities", context.unsupported_entities(answer)),
            ("unsupported-quotes", context.unsupported_quotes(answer)),
        ];
        let answered = !abstention::abstains(answer, &self.0.abstention_phrases);
        let mut measures = vec![measure("hallucinated", signals.iter().any(|(_, found)| !found.is_empty()))];
        measures.extend(signals.iter().map(|(name, found)| measure(name, !found.is_empty())));
        measures.push(measure("answered", answered));
        measures.push(measure("abstained-correctly", answered == answerable));
        measures.push(Measure::new("length-words", answer.split_whitespace().count() as f64));
        let notes =
            signals.iter().flat_map(|(name, found)| found.iter().take(NOTES).map(|text| (*name, text.as_str())));
        notes.fold(Judgement::scored(measures), |judgement, (name, text)| judgement.note(name, text))
    }

    /// The text that must support the answer, or `None` if the sample has none.
    fn support(&self, sample: &Sample) -> Option<String> {
        let prompt = || sample.messages.iter().map(|message| message.content.as_str()).collect::<Vec<_>>().join("\n");
        match &sample.context {
            Some(context) if self.0.prompt_supports => Some(format!("{context}\n{}", prompt())),
            Some(context) => Some(context.clone()),
            None => self.0.fall_back_to_prompt.then(prompt),
        }
    }

    fn is_answerable(&self, sample: &Sample) -> bool {
        !self.0.unanswerable && sample.tag("answerable").is_none_or(|tag| !tag.eq_ignore_ascii_case("false"))
    }
}

fn measure(name: &str, holds: bool) -> Measure {
    Measure::new(name, f64::from(u8::from(holds)))
}

diapason_plugin::plugin! { evaluator: Hallucination }
