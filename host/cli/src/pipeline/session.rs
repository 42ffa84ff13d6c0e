//! What the stages of one run share: the plan, the loaded plugins, the suites, the open model and the manifest.

use super::check;
use super::inputs::Inputs;
use super::suite::{self, LoadedSuite};
use crate::lock::Lock;
use crate::plan::Plan;
use crate::ui::Ui;
use crate::wire::{self, LateJudge, LateTokenizer, Origin, Plugins, Renderer, origin};
use diapason_core::config::{Compute, Method, Model as Named, Template};
use diapason_core::digest;
use diapason_core::event::{Event, Sink as _};
use diapason_core::schema::Problem;
use diapason_core::{Class, Error, Result};
use diapason_models::Model;
use diapason_models::formats::Format;
use diapason_nn::device;
use diapason_project::config::refuse;
use diapason_project::manifest::Manifest;
use diapason_sandbox::Grants;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// One run in progress.
pub(crate) struct Session {
    pub(crate) plan: Plan,
    pub(crate) ui: Ui,
    pub(super) plugins: Plugins,
    pub(super) grants: Grants,
    pub(super) manifest: Manifest,
    /// Rules of validators whose errors are accepted.
    pub(super) allow: Vec<String>,
    opened: Option<Opened>,
    /// Digest of the training data that were read.
    pub(super) training_data: String,
    pub(super) inputs: Inputs,
    /// Whether what could be computed again is kept in the run's folder.
    pub(super) keeps: bool,
    /// Held until the session ends.
    lock: Option<Lock>,
}

/// A model with the renderer of its prompts.
pub(super) struct Opened {
    pub(super) model: Model,
    pub(super) renderer: Renderer,
    /// How its weights are kept; `None` without weights.
    format: Option<Format>,
}

/// What the base model is opened for: `[train]` says in which precision it is trained, `[model]` in which it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Training, with all that is tokenised for it.
    Training,
    /// Answers and likelihoods.
    Answers,
}

impl Session {
    /// A session that writes into the run's folder, which it locks. Errors with one of the rules in `allow` are accepted.
    ///
    /// Errors if the configuration cannot be carried out or another process works in the folder.
    pub(crate) fn new(plan: &Plan, ui: &Ui, allow: &[String]) -> Result<Self> {
        let mut session = Self::checked(plan, ui, allow)?;
        session.lock = Some(Lock::write(plan.folder())?);
        session.opened()
    }

    /// A session that makes no folder; where there is one, it is locked.
    ///
    /// Errors if the configuration cannot be carried out or another process works in the folder.
    pub(crate) fn reading(plan: &Plan, ui: &Ui, allow: &[String]) -> Result<Self> {
        let mut session = Self::checked(plan, ui, allow)?;
        session.lock = Lock::read(plan.folder())?;
        session.opened()
    }

    /// A session that writes nothing, so that it may look on while another process works in the folder: all that it reads
    /// there is written whole. Errors with one of the rules in `allow` are accepted.
    ///
    /// Errors if the configuration cannot be carried out.
    pub(crate) fn looking(plan: &Plan, ui: &Ui, allow: &[String]) -> Result<Self> {
        let mut session = Self::checked(plan, ui, allow)?;
        session.keeps = false;
        session.opened()
    }

    /// A session for a copy of a run, which has of its project what there is: what is missing is said, not refused.
    pub(crate) fn beside(plan: &Plan, ui: &Ui) -> Result<Self> {
        let plan = settled(plan).map_or_else(|_| plan.clone(), |(plan, _)| plan);
        let mut session = Self::unchecked(&plan, ui, &[])?;
        session.keeps = false;
        session.opened()
    }

    /// The configuration is held against all that it names before the run's folder is touched.
    fn checked(plan: &Plan, ui: &Ui, allow: &[String]) -> Result<Self> {
        let (plan, note) = settled(plan)?;
        let mut session = Self::unchecked(&plan, ui, allow)?;
        check::configuration(&plan, &mut session.plugins, &session.grants)?;
        if let Some(message) = note {
            ui.emit(&Event::Warning { message });
        }
        Ok(session)
    }

    fn unchecked(plan: &Plan, ui: &Ui, allow: &[String]) -> Result<Self> {
        Ok(Self {
            grants: Grants {
                tokenizer: Some(Arc::new(LateTokenizer::new(plan))),
                judge: Some(Arc::new(Mutex::new(LateJudge::new(plan, ui)))),
                sink: Arc::new(ui.clone()),
            },
            plugins: Plugins::new(&plan.config.limits, ui)?,
            plan: plan.clone(),
            ui: ui.clone(),
            allow: allow.to_vec(),
            manifest: Manifest::new(env!("CARGO_PKG_VERSION")),
            opened: None,
            training_data: String::new(),
            inputs: Inputs::default(),
            keeps: true,
            lock: None,
        })
    }

    /// Reads the manifest, which only the holder of the lock may do.
    fn opened(mut self) -> Result<Self> {
        self.manifest = Manifest::open(self.plan.folder(), env!("CARGO_PKG_VERSION"))?;
        Ok(self)
    }

    /// The path of an artefact.
    pub(super) fn artefact(&self, name: &str) -> PathBuf {
        self.plan.folder().join(name)
    }

    /// The suites with their samples and plugins.
    pub(super) fn suites(&mut self) -> Result<Vec<LoadedSuite>> {
        let suites = self.plan.config.suites.clone();
        if suites.is_empty() {
            return Err(Error::config("no suite is configured")
                .hint("add a `[[suite]]` with `name`, `data` and at least one `[[suite.evaluator]]`"));
        }
        suites.iter().map(|config| suite::load(config, &mut self.plugins)).collect()
    }

    /// Refuses to train where the configuration names an adapter that is there already.
    pub(crate) fn trains(&self) -> Result<()> {
        self.plan.config.base()?;
        if self.plan.config.adapter().is_some() {
            return Err(Error::config("`model.adapter` names an existing adapter, so there is nothing to train")
                .hint("remove `model.adapter` to train an adapter here, or run `diapason eval`"));
        }
        Ok(())
    }

    /// Whether `stage` needs no work; says so.
    pub(super) fn is_current(&self, stage: &str, inputs: &str) -> bool {
        let current = self.manifest.stands(stage, inputs, self.plan.folder());
        if current {
            self.ui.note(|paint| paint.dim(&format!("· {stage:<15} up to date")));
        }
        for path in self.manifest.edited(stage, inputs, self.plan.folder()) {
            let message = format!("{path} was modified since it was written, so it is generated again");
            self.ui.emit(&Event::Warning { message });
        }
        current
    }

    /// Records that `stage` wrote `outputs`, given as paths in the run folder.
    pub(super) fn finish(&mut self, stage: &str, inputs: &str, outputs: &[String]) -> Result<()> {
        self.manifest.finish(stage, inputs, self.plan.folder(), outputs)?;
        self.manifest.save(self.plan.folder())
    }

    pub(super) fn started(&self, stage: &str, total: Option<usize>) {
        let total = total.map(|total| total as u64);
        self.ui.emit(&Event::StageStarted { stage: stage.into(), total });
    }

    pub(super) fn ended(&self, stage: &str, summary: String) {
        self.ui.emit(&Event::StageEnded { stage: stage.into(), summary });
    }

    /// Digest of a file or folder, read once.
    pub(super) fn digest(&mut self, path: &Path) -> Result<String> {
        self.inputs.files(path).map(wire::joined)
    }

    /// How the weights are kept for a use of the model.
    fn format(&self, purpose: Purpose) -> Format {
        let (config, model) = (&self.plan.config, self.answering());
        let gpu = device::is_gpu(&model.device);
        match purpose {
            Purpose::Training => Format::of_run(&config.train, gpu),
            // All arms alike, or the comparison would be one of formats.
            Purpose::Answers => Format::of_model(&model, gpu),
        }
    }

    /// Device and precision of whatever answers here: those of `[model]`, or its defaults where there is none.
    fn answering(&self) -> Named {
        self.plan.config.model.clone().unwrap_or_default()
    }

    /// What a GPU computes in for a use of the model.
    fn compute(&self, purpose: Purpose) -> Compute {
        match purpose {
            Purpose::Training => self.plan.config.train.compute,
            Purpose::Answers => self.answering().precision.compute(),
        }
    }

    /// What the base model and its prompts depend on, known without opening it.
    pub(super) fn model_inputs(&mut self, purpose: Purpose) -> Result<String> {
        let (path, template) = (self.base_path()?, self.plan.config.template.clone());
        self.inputs_of(&path, &template, purpose)
    }

    /// What a model and its prompts in `template` depend on, known without opening it.
    pub(super) fn inputs_of(&mut self, path: &Path, template: &Template, purpose: Purpose) -> Result<String> {
        if !path.exists() {
            return wire::open(path, Format::F32, "cpu").map(|_| String::new());
        }
        let model = self.digest(path)?;
        let plugin = self.plugins.get(&template.plugin)?;
        let settings = serde_json::Value::Object(template.settings.clone()).to_string();
        let origin = match origin::file(template).filter(|path| path.exists()) {
            Some(path) => self.digest(&path)?,
            None => Origin::of(template, self.plan.config.adapter())?.digest(),
        };
        let format = if device::is_gpu(&self.answering().device) {
            format!("{:?}, on a GPU in {:?}", self.format(purpose), self.compute(purpose))
        } else {
            format!("{:?}", self.format(purpose))
        };
        Ok(digest::of_parts([
            ("model", model.as_str()),
            ("format", format.as_str()),
            ("template plugin", plugin.sha256()),
            ("template", origin.as_str()),
            ("template settings", settings.as_str()),
        ]))
    }

    fn base_path(&self) -> Result<PathBuf> {
        Ok(self.plan.config.base()?.path.clone())
    }

    /// The base model as it answers, opened once.
    pub(super) fn base(&mut self) -> Result<&mut Opened> {
        self.base_for(Purpose::Answers)
    }

    /// The base model for a use of it; opened again where it is open in another format.
    pub(super) fn base_for(&mut self, purpose: Purpose) -> Result<&mut Opened> {
        let format = self.format(purpose);
        if self.opened.as_ref().is_none_or(|opened| opened.format.is_some_and(|open| open != format)) {
            // One of them fits into memory, perhaps not both.
            self.opened = None;
            let (path, template) = (self.base_path()?, self.plan.config.template.clone());
            self.opened = Some(self.open_for(&path, &template, purpose)?);
        }
        let compute = self.compute(purpose);
        let opened = self.opened.as_mut().ok_or_else(|| Error::run("the model was not opened"))?;
        opened.model.llama_mut().set_compute(compute);
        Ok(opened)
    }

    /// Opens the base model without its weights, to plan with: it must not compute, and nothing of it is recorded.
    pub(super) fn open_outline(&mut self) -> Result<()> {
        let mut model = wire::outline(&self.base_path()?)?;
        let template = self.plan.config.template.clone();
        let mut renderer = self.renderer(&model, &template)?;
        renderer.end_turns(&mut model)?;
        self.opened = Some(Opened { model, renderer, format: None });
        Ok(())
    }

    /// Takes the base model out, so that it can be used beside the session; [`Session::put_base`] gives it back.
    pub(super) fn take_base(&mut self) -> Result<Opened> {
        self.base()?;
        self.opened.take().ok_or_else(|| Error::run("the model was not opened"))
    }

    pub(super) fn put_base(&mut self, opened: Opened) {
        self.opened = Some(opened);
    }

    /// The renderer of the run's prompts, without the base model's weights.
    pub(super) fn outlined(&mut self) -> Result<Renderer> {
        let model = wire::outline(&self.base_path()?)?;
        let template = self.plan.config.template.clone();
        self.renderer(&model, &template)
    }

    /// Opens another model with this template, to answer.
    pub(super) fn open(&mut self, path: &Path, template: &Template) -> Result<Opened> {
        self.open_for(path, template, Purpose::Answers)
    }

    fn open_for(&mut self, path: &Path, template: &Template, purpose: Purpose) -> Result<Opened> {
        self.started("open model", None);
        let format = self.format(purpose);
        let mut model = wire::open(path, format, &self.answering().device)?;
        model.llama_mut().set_compute(self.compute(purpose));
        let mut renderer = self.renderer(&model, template)?;
        renderer.end_turns(&mut model)?;
        model_opened(&self.ui, path, &model);
        if let Some(message) = wire::untied(&model) {
            self.ui.emit(&Event::Warning { message });
        }
        Ok(Opened { model, renderer, format: Some(format) })
    }

    /// Renders as `template` says.
    fn renderer(&mut self, model: &Model, template: &Template) -> Result<Renderer> {
        Renderer::new(template, self.plan.config.adapter(), &mut self.plugins, model, &self.grants)
    }

    /// Drops the open model, which training changed.
    pub(super) fn close(&mut self) {
        self.opened = None;
    }

    /// Where the tuned model's difference from its base is: an adapter's folder, or a whole model's.
    pub(super) fn tuned(&self) -> (Tuned, PathBuf) {
        match (self.plan.config.adapter(), self.plan.config.train.method) {
            (Some(adapter), _) => (Tuned::Adapter, adapter.to_owned()),
            (None, Method::Lora | Method::Qlora) => (Tuned::Adapter, self.artefact("adapter")),
            (None, Method::Full) => (Tuned::Model, self.artefact("model")),
        }
    }

    /// The tuned model's digest; errors where it has not been made yet.
    pub(super) fn tuned_digest(&mut self) -> Result<String> {
        let (_, folder) = self.tuned();
        if !folder.exists() {
            let hint = match self.plan.config.adapter() {
                Some(_) => "`model.adapter` names a folder with adapter_config.json and adapter_model.safetensors",
                None => "run `diapason train` first",
            };
            return Err(Error::run(format!("there is no tuned model at {}", folder.display())).hint(hint));
        }
        self.digest(&folder)
    }
}

/// The plan with the template that base and adapter are asked in, and what is to be said of it.
fn settled(plan: &Plan) -> Result<(Plan, Option<String>)> {
    let mut plan = plan.clone();
    match origin::settle(&mut plan.config) {
        Ok(note) => Ok((plan, note)),
        Err(error) if error.class() == Class::Config => {
            let hint = error.hint_text().unwrap_or_default().to_owned();
            let problem = Problem::new("/model/adapter", error.to_string(), &hint);
            Err(refuse(&plan.text, &plan.name, &[problem]))
        }
        Err(error) => Err(error),
    }
}

/// What training left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tuned {
    /// An adapter on the base model.
    Adapter,
    /// A model of its own.
    Model,
}

fn model_opened(ui: &Ui, path: &Path, model: &Model) {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let summary = format!("{name}, {:.1} million parameters", model.parameters() as f64 / 1e6);
    ui.emit(&Event::StageEnded { stage: "open model".into(), summary });
}
