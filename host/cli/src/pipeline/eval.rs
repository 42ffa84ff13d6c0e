//! Stage `eval`: base and tuned answer the same prompts, then the plugins score the answers.

use super::generate::{self, Asking};
use super::journal::{self, Journal};
use super::request::Requests;
use super::session::{Opened, Purpose, Tuned};
use super::suite::LoadedSuite;
use super::{Session, integrity, jsonl, score, validate, watched};
use crate::artefact;
use crate::number::counted;
use crate::{interrupt, wire};
use diapason_core::digest;
use diapason_core::event::{Event, Sink as _};
use diapason_core::language_model::LanguageModel;
use diapason_core::sample::Conversation;
use diapason_core::score::{Arm, Output};
use diapason_core::{Error, Result};
use diapason_engine::Local;

/// How answers are drawn. Another way gives other answers, which do not belong to outputs of this one.
const SAMPLING: &str = "a stream for each answer, draws beside the ordinary completion, stops of the model and its template, logits changed \
     as generation_config.json says";

/// So many prompts are enough to see whether an adapter does anything.
const PROBES: usize = 4;

/// Writes `outputs.base.jsonl`, `outputs.tuned.jsonl` and `scores.jsonl`, and freezes what they are about.
pub(crate) fn stage(session: &mut Session) -> Result<()> {
    integrity::check_training(session)?;
    validate::check_current(session)?;
    let suites = session.suites()?;
    watched::check(session)?;
    let requests = requests(session, &suites)?;
    let base = outputs(session, Arm::Base, &suites, &requests)?;
    let tuned = outputs(session, Arm::Tuned, &suites, &requests)?;
    same_prompts(&base, &tuned)?;
    score::stage(session, &suites, &requests, &base, &tuned)?;
    integrity::freeze_evaluation(session, &suites)
}

/// What every suite asks of the models.
pub(super) fn requests(session: &Session, suites: &[LoadedSuite]) -> Result<Vec<Requests>> {
    let config = &session.plan.config;
    let of = |suite| Requests::of(suite, &session.grants, config);
    let requests = suites.iter().map(of).collect::<Result<Vec<_>>>()?;
    let draws = requests.iter().flat_map(|one| &one.merged).any(|asked| asked.draws > 0);
    if config.generate.sampling_temperature.is_some() && !draws {
        let message = "`generate.sampling_temperature` is not used: no evaluator asks for more than one completion";
        session.ui.emit(&Event::Warning { message: message.into() });
    }
    if (config.generate.temperature > 0.0 || draws)
        && let Some(message) = wire::left_out(&config.model.path)
    {
        session.ui.emit(&Event::Warning { message });
    }
    Ok(requests)
}

fn name(arm: Arm) -> &'static str {
    match arm {
        Arm::Base => "answers, base",
        Arm::Tuned => "answers, tuned",
    }
}

/// What an arm answered; only what its inputs' digest does not cover yet is generated.
fn outputs(session: &mut Session, arm: Arm, suites: &[LoadedSuite], requests: &[Requests]) -> Result<Vec<Output>> {
    let (stage, path) = (name(arm), session.artefact(artefact::outputs(arm)));
    let inputs = inputs(session, arm, suites, requests)?;
    let unfinished = session.artefact(artefact::partial(arm));
    if session.is_current(stage, &inputs) {
        journal::remove(&unfinished);
        return jsonl::read(&path, "eval");
    }
    let mut journal = Journal::open(&unfinished, &inputs)?;
    let made = match arm {
        Arm::Base => {
            let mut opened = session.take_base()?;
            opened.model.detach_adapter();
            let made = answer(session, &mut opened, stage, suites, requests, &mut journal);
            session.put_base(opened);
            made
        }
        Arm::Tuned => tuned(session, stage, suites, requests, &mut journal),
    };
    // The answers so far, too: of which model they are, nobody can say.
    if let Err(changed) = session.inputs.unchanged() {
        journal.remove();
        return Err(changed);
    }
    let outputs = made?;
    jsonl::write(&path, &outputs)?;
    session.finish(stage, &inputs, &[artefact::outputs(arm).into()])?;
    journal.remove();
    Ok(outputs)
}

fn inputs(session: &mut Session, arm: Arm, suites: &[LoadedSuite], requests: &[Requests]) -> Result<String> {
    let model = session.model_inputs(Purpose::Answers)?;
    let tuned = match arm {
        Arm::Base => String::new(),
        Arm::Tuned => session.tuned_digest()?,
    };
    let config = &session.plan.config;
    // Prompts decoded side by side influence each other by rounding only, so the batch size is no input.
    let decoding = serde_json::json!([
        config.generate.max_tokens,
        config.generate.temperature,
        config.generate.sampling_temperature,
        config.generate.top_p,
        config.generate.stop,
        config.run.seed
    ])
    .to_string();
    let mut parts = vec![("model".to_owned(), model), ("tuned".into(), tuned), ("decoding".into(), decoding)];
    parts.push(("sampling".into(), SAMPLING.into()));
    for (suite, requests) in suites.iter().zip(requests) {
        let limit = format!("{:?}", suite.config.max_tokens);
        parts.push((suite.config.name.clone(), format!("{} {} {limit}", suite.digest, requests.digest())));
    }
    Ok(digest::of_parts(parts.iter().map(|(name, digest)| (name.as_str(), digest.as_str()))))
}

fn tuned(
    session: &mut Session,
    stage: &str,
    suites: &[LoadedSuite],
    requests: &[Requests],
    journal: &mut Journal,
) -> Result<Vec<Output>> {
    match session.tuned() {
        (Tuned::Adapter, folder) => {
            let mut opened = session.take_base()?;
            let made = probe(&mut opened, suites, &folder)
                .and_then(|()| integrity::check_tuned(session))
                .and_then(|()| answer(session, &mut opened, stage, suites, requests, journal));
            opened.model.detach_adapter();
            session.put_base(opened);
            made
        }
        (Tuned::Model, folder) => {
            let base = session.base()?.model.digests().weights.clone();
            let mut opened = session.open(&folder)?;
            if opened.model.digests().weights == base {
                return Err(without_effect("the tuned model's weights are the base model's"));
            }
            integrity::check_tuned(session)?;
            answer(session, &mut opened, stage, suites, requests, journal)
        }
    }
}

/// Attaches the adapter and makes sure that it changes what the model computes.
fn probe(opened: &mut Opened, suites: &[LoadedSuite], folder: &std::path::Path) -> Result<()> {
    let samples: Vec<_> = suites.iter().flat_map(|suite| &suite.samples).take(PROBES).collect();
    let conversations: Vec<_> = samples.iter().map(|sample| Conversation::prompt(sample)).collect();
    let prompts = opened.renderer.prompts(&conversations)?;
    let answers = samples.iter().map(|sample| sample.reference.clone().unwrap_or_else(|| "Yes".into()));
    let pairs: Vec<(String, String)> = prompts.into_iter().zip(answers).collect();
    opened.model.detach_adapter();
    let before = Local::new(&opened.model).loglikelihood(&pairs, &mut |_| {})?;
    opened.model.attach_adapter(folder)?;
    let after = Local::new(&opened.model).loglikelihood(&pairs, &mut |_| {})?;
    let same = before.iter().zip(&after).all(|(a, b)| a.logprob.to_bits() == b.logprob.to_bits());
    match same {
        true => Err(without_effect(&format!("the adapter {} changes no logit", folder.display()))),
        false => Ok(()),
    }
}

fn without_effect(message: &str) -> Error {
    Error::data(message)
        .hint("comparing a model with itself says nothing: train longer, or name the adapter that belongs to this base")
}

fn answer(
    session: &mut Session,
    opened: &mut Opened,
    stage: &str,
    suites: &[LoadedSuite],
    requests: &[Requests],
    journal: &mut Journal,
) -> Result<Vec<Output>> {
    let config = session.plan.config.clone();
    let mut jobs = Vec::new();
    for (suite, requests) in suites.iter().zip(requests) {
        jobs.extend(generate::jobs(&mut opened.renderer, suite, requests, &config)?);
    }
    for message in opened.renderer.notes() {
        session.ui.emit(&Event::Warning { message });
    }
    let (known, units) = (journal.len(), generate::units(&jobs));
    if known > 0 {
        session.ui.note(|paint| paint.dim(&format!("  {stage}: resuming after {known} of {units}")));
    }
    session.started(stage, Some(units));
    let outputs = interrupt::gently(|interrupted| {
        let (config, seed, sink) = (&config.generate, config.run.seed, &session.ui);
        let model = &mut Local::new(&opened.model).batched(config.batch_size);
        Asking { model, jobs: &jobs, config, seed, journal, sink, interrupted }.outputs()
    })?;
    let completions = outputs.iter().flat_map(|output| output.completions.iter().chain(&output.samples));
    let tokens: usize = completions.map(|completion| completion.tokens).sum();
    session.ended(stage, format!("{}, {}", counted(outputs.len(), "sample"), counted(tokens, "token")));
    Ok(outputs)
}

/// Both sides must have been asked the same: another template would make the comparison one of templates.
fn same_prompts(base: &[Output], tuned: &[Output]) -> Result<()> {
    let differs = |(a, b): &(&Output, &Output)| (&a.suite, &a.sample, &a.prompt) != (&b.suite, &b.sample, &b.prompt);
    match base.iter().zip(tuned).find(differs) {
        None if base.len() == tuned.len() => Ok(()),
        found => {
            let sample =
                found.map_or(String::new(), |(base, _)| format!(" (first at {} of {})", base.sample, base.suite));
            Err(Error::run(format!("base and tuned were not asked the same prompts{sample}"))
                .hint("set `template.template`, so that both use one chat template"))
        }
    }
}
