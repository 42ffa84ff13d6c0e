//! Stage `eval`: every arm answers the suites' prompts, then the plugins score the answers.

use super::arm::{self, Source, Weights};
use super::elsewhere::{self, Elsewhere};
use super::generate::{self, Asking, Job, Made};
use super::request::Requests;
use super::score::Answered;
use super::session::{Opened, Purpose};
use super::store::Store;
use super::suite::LoadedSuite;
use super::{Session, integrity, jsonl, score, validate, watched};
use crate::artefact;
use crate::interrupt;
use crate::number::counted;
use crate::wire::{self, Renderer};
use diapason_core::arm::Arm;
use diapason_core::config::{Endpoint, Protocol};
use diapason_core::digest;
use diapason_core::engine::Engine;
use diapason_core::event::{Event, Sink as _};
use diapason_core::language_model::LanguageModel as _;
use diapason_core::sample::Conversation;
use diapason_core::score::Output;
use diapason_core::worth::Usage;
use diapason_core::{Error, Result};
use diapason_engine::Local;
use diapason_project::prompting::Prompting;
use diapason_remote::Remote;
use std::path::Path;

/// So many prompts are enough to see whether an adapter does anything.
const PROBES: usize = 4;

/// Writes each arm's outputs and what they took, then `scores.jsonl`, and freezes what they are about.
pub(crate) fn stage(session: &mut Session) -> Result<()> {
    integrity::check_training(session)?;
    validate::check_current(session)?;
    let suites = session.suites()?;
    watched::check(session)?;
    let requests = requests(session, &suites)?;
    let arms = session.plan.config.arms();
    let mut outputs: Vec<Vec<Output>> = Vec::new();
    for arm in &arms.all {
        let answered = self::outputs(session, arm, &suites, &requests, &outputs)?;
        outputs.push(answered);
    }
    let answered = Answered { arms, outputs };
    same_prompts(&answered)?;
    score::stage(session, &suites, &requests, &answered)?;
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
        && let Some(model) = &config.model
        && let Some(message) = wire::left_out(&model.path)
    {
        session.ui.emit(&Event::Warning { message });
    }
    Ok(requests)
}

/// What an arm answered; only what nobody answered yet is asked. `before` are the outputs of the arms before it.
fn outputs(
    session: &mut Session,
    arm: &Arm,
    suites: &[LoadedSuite],
    requests: &[Requests],
    before: &[Vec<Output>],
) -> Result<Vec<Output>> {
    let (stage, path) = (format!("answers, {arm}"), session.artefact(&artefact::outputs(arm)));
    let source = Source::of(session, arm)?;
    let prompting = arm::prompting(session, arm)?;
    let identity = identity(session, arm, &source)?;
    let inputs = inputs(session, &identity, &prompting, suites, requests)?;
    if session.is_current(&stage, &inputs) {
        return jsonl::read(&path, "eval");
    }
    let (outputs, usage) = match &source {
        Source::Outputs(file) => elsewhere(session, &stage, arm, file, suites, requests, before)?,
        _ => {
            warn(session, left_out(arm, &prompting));
            let turn = Turn { session, arm, stage: &stage, suites, requests, prompting: &prompting };
            let made = turn.made(&source, &identity)?;
            let usage = usage(arm, &made);
            (made.outputs, usage)
        }
    };
    jsonl::write(&path, &outputs)?;
    jsonl::write(&session.artefact(&artefact::usage(arm)), &[usage])?;
    session.finish(&stage, &inputs, &[artefact::outputs(arm), artefact::usage(arm)])?;
    Ok(outputs)
}

/// The answers of a file.
fn elsewhere(
    session: &Session,
    stage: &str,
    arm: &Arm,
    file: &Path,
    suites: &[LoadedSuite],
    requests: &[Requests],
    before: &[Vec<Output>],
) -> Result<(Vec<Output>, Usage)> {
    session.started(stage, None);
    // The base comes first; what others were asked is not what the samples are rendered as.
    let rendered = before.first().filter(|_| session.plan.config.model.is_some());
    let rendered = rendered.map(Vec::as_slice).unwrap_or_default();
    let Elsewhere { outputs, usage, lost, notes } = elsewhere::read(arm, file, suites, requests, rendered)?;
    warn(session, notes.into_iter());
    warn(session, lost.iter().take(LISTED).map(|one| format!("arm `{arm}`: {one}")));
    let summary = counted(outputs.len(), "sample");
    session.ended(
        stage,
        if lost.is_empty() { summary } else { format!("{summary}, {} lost", counted(lost.len(), "sample")) },
    );
    Ok((outputs, usage))
}

fn warn(session: &Session, messages: impl Iterator<Item = String>) {
    messages.for_each(|message| session.ui.emit(&Event::Warning { message }));
}

/// What of a folder is not among the passages.
fn left_out(arm: &Arm, prompting: &Prompting) -> impl Iterator<Item = String> {
    let files = prompting.passages.iter().flat_map(|passages| passages.left_out());
    files.map(move |file| format!("arm `{arm}`: {} of the folder is left out: {}", file.path, file.why))
}

fn usage(arm: &Arm, made: &Made) -> Usage {
    Usage {
        arm: arm.clone(),
        answers: made.answers as u64,
        prompt_tokens: made.usage.prompt_tokens,
        completion_tokens: made.usage.completion_tokens,
        seconds: Some(made.usage.seconds),
    }
}

/// Digest of everything that shapes an answer beside its prompt and its decoding, as far as it is known without asking.
fn identity(session: &mut Session, arm: &Arm, source: &Source) -> Result<String> {
    match source {
        Source::Weights(weights) => {
            if arm.is_tuned() {
                session.tuned_digest()?;
            }
            weights.identity(session)
        }
        Source::Endpoint(endpoint) => {
            let asked = serde_json::json!([endpoint.url, endpoint.model, endpoint.protocol]);
            let template = match endpoint.protocol {
                Protocol::Chat => String::new(),
                Protocol::Completions => session.model_inputs(Purpose::Answers)?,
            };
            Ok(digest::of_parts([("endpoint", asked.to_string().as_str()), ("template", template.as_str())]))
        }
        Source::Outputs(file) => session.digest(file),
    }
}

fn inputs(
    session: &Session,
    identity: &str,
    prompting: &Prompting,
    suites: &[LoadedSuite],
    requests: &[Requests],
) -> Result<String> {
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
    let mut parts = vec![("identity".to_owned(), identity.to_owned()), ("decoding".into(), decoding)];
    parts.push(("prompting".into(), prompting.digest()));
    for (suite, requests) in suites.iter().zip(requests) {
        let limit = format!("{:?}", suite.config.max_tokens);
        parts.push((suite.config.name.clone(), format!("{} {} {limit}", suite.digest, requests.digest())));
    }
    Ok(digest::of_parts(parts.iter().map(|(name, digest)| (name.as_str(), digest.as_str()))))
}

/// An arm's turn to answer.
struct Turn<'a> {
    session: &'a mut Session,
    arm: &'a Arm,
    stage: &'a str,
    suites: &'a [LoadedSuite],
    requests: &'a [Requests],
    prompting: &'a Prompting,
}

impl Turn<'_> {
    fn made(mut self, source: &Source, identity: &str) -> Result<Made> {
        match source {
            Source::Endpoint(endpoint) => self.endpoint(endpoint),
            Source::Outputs(_) => Err(Error::run("a file cannot be asked")),
            Source::Weights(weights) => {
                let mut store = Store::open(self.session.plan.folder(), identity)?;
                let made = self.weights(weights, &mut store);
                // The answers so far, too: of which model they are, nobody can say.
                if let Err(changed) = self.session.inputs.unchanged() {
                    store.remove();
                    return Err(changed);
                }
                made
            }
        }
    }

    /// Asks a server. Its answers are kept under what it says of itself.
    fn endpoint(&mut self, endpoint: &Endpoint) -> Result<Made> {
        let price = self.session.plan.config.price_of(self.arm);
        let named = |error: Error| error.context(format!("arm `{}`", self.arm));
        let mut remote = Remote::open(endpoint, Some(&price), &|name| std::env::var_os(name)).map_err(named)?;
        let origin = remote.origin().map_err(named)?.digest();
        let mut renderer = match endpoint.protocol {
            Protocol::Chat => None,
            Protocol::Completions => Some(self.session.outlined()?),
        };
        let jobs = self.jobs(renderer.as_mut())?;
        let mut store = Store::open(self.session.plan.folder(), &origin)?;
        let made = self.ask(&mut remote, &jobs, &mut store)?;
        if remote.fingerprints().len() > 1 {
            let message =
                format!("the server of arm `{}` changed while it answered: its fingerprint is another", self.arm);
            warn(self.session, std::iter::once(message));
        }
        Ok(made)
    }

    fn weights(&mut self, weights: &Weights, store: &mut Store) -> Result<Made> {
        let Some(model) = &weights.model else {
            let mut opened = self.session.take_base()?;
            let made = self.with_adapter(&mut opened, weights, store);
            opened.model.detach_adapter();
            self.session.put_base(opened);
            return made;
        };
        let template = weights.template(self.session);
        if !self.arm.is_tuned() {
            // One of them fits into memory, perhaps not both.
            self.session.close();
            let opened = self.session.open(model, &template);
            let named = |error: Error| error.context(format!("arm `{}`", self.arm));
            return self.with_adapter(&mut opened.map_err(named)?, weights, store);
        }
        let base = self.session.base()?.model.digests().weights.clone();
        let mut opened = self.session.open(model, &template)?;
        if opened.model.digests().weights == base {
            return Err(without_effect("the tuned model's weights are the base model's"));
        }
        integrity::check_tuned(self.session)?;
        self.local(&mut opened, store)
    }

    /// Attaches the adapter, if there is one, and makes sure that it changes what the model computes.
    fn with_adapter(&mut self, opened: &mut Opened, weights: &Weights, store: &mut Store) -> Result<Made> {
        opened.model.detach_adapter();
        if let Some(adapter) = &weights.adapter {
            probe(opened, self.suites, adapter)?;
            if self.arm.is_tuned() {
                integrity::check_tuned(self.session)?;
            }
        }
        self.local(opened, store)
    }

    fn local(&mut self, opened: &mut Opened, store: &mut Store) -> Result<Made> {
        let jobs = self.jobs(Some(&mut opened.renderer))?;
        let batch_size = self.session.plan.config.generate.batch_size;
        self.ask(&mut Local::new(&opened.model).batched(batch_size), &jobs, store)
    }

    /// What the suites ask of the arm, rendered where there is something to render with.
    fn jobs(&self, mut renderer: Option<&mut Renderer>) -> Result<Vec<Job>> {
        let config = &self.session.plan.config.generate;
        let mut jobs = Vec::new();
        for (suite, requests) in self.suites.iter().zip(self.requests) {
            let conversations = arm::conversations(self.prompting, suite)?;
            let texts = renderer.as_mut().map(|renderer| renderer.prompts(&conversations)).transpose()?;
            jobs.extend(generate::jobs(suite, requests, conversations, texts, config));
        }
        warn(self.session, renderer.into_iter().flat_map(|renderer| renderer.notes()));
        Ok(jobs)
    }

    fn ask(&mut self, engine: &mut dyn Engine, jobs: &[Job], store: &mut Store) -> Result<Made> {
        let Self { session, arm, stage, .. } = self;
        let (config, seed, sink) = (&session.plan.config.generate, session.plan.config.run.seed, &session.ui);
        let made = interrupt::gently(|interrupted| {
            let mut asking = Asking { arm, engine, jobs, config, seed, store, sink, interrupted };
            let (known, units) = (asking.known(), generate::units(jobs));
            if known > 0 {
                sink.note(|paint| paint.dim(&format!("  {stage}: {known} of {units} answered before")));
            }
            session.started(stage, Some(units));
            asking.made()
        })?;
        let lost = made.lost.iter().take(LISTED);
        warn(session, lost.map(|(job, loss)| format!("arm `{arm}`: {} is lost: {loss}", jobs[*job].name)));
        session.ended(stage, summary(&made));
        Ok(made)
    }
}

/// So many lost answers are named one by one.
const LISTED: usize = 5;

fn summary(made: &Made) -> String {
    let completions = made.outputs.iter().flat_map(|output| output.completions.iter().chain(&output.samples));
    let tokens: usize = completions.map(|completion| completion.tokens).sum();
    let summary = format!("{}, {}", counted(made.outputs.len(), "sample"), counted(tokens, "token"));
    if made.lost.is_empty() { summary } else { format!("{summary}, {} lost", counted(made.lost.len(), "sample")) }
}

/// Attaches the adapter and makes sure that it changes what the model computes.
fn probe(opened: &mut Opened, suites: &[LoadedSuite], folder: &Path) -> Result<()> {
    let samples: Vec<_> = suites.iter().flat_map(|suite| &suite.samples).take(PROBES).collect();
    let conversations: Vec<_> = samples.iter().map(|sample| Conversation::prompt(sample)).collect();
    let prompts = opened.renderer.prompts(&conversations)?;
    let answers = samples.iter().map(|sample| sample.reference.clone().unwrap_or_else(|| "Yes".into()));
    let pairs: Vec<(String, String)> = prompts.into_iter().zip(answers).collect();
    opened.model.detach_adapter();
    let before = Local::new(&opened.model).loglikelihood(&pairs, &mut |_| {})?;
    opened.model.attach_adapter(folder)?;
    let after = Local::new(&opened.model).loglikelihood(&pairs, &mut |_| {})?;
    if before.iter().zip(&after).all(|(a, b)| a.logprob.to_bits() == b.logprob.to_bits()) {
        return Err(without_effect(&format!("the adapter {} changes no logit", folder.display())));
    }
    Ok(())
}

fn without_effect(message: &str) -> Error {
    Error::data(message)
        .hint("comparing a model with itself says nothing: train longer, or name the adapter that belongs to this base")
}

/// Base and tuned must have been asked the same: another template would make the comparison one of templates.
fn same_prompts(answered: &Answered) -> Result<()> {
    let of = |arm: &Arm| answered.arms.all.iter().zip(&answered.outputs).find(|(known, _)| *known == arm);
    let (Some((_, base)), Some((_, tuned))) = (of(&Arm::base()), of(&Arm::tuned())) else { return Ok(()) };
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
