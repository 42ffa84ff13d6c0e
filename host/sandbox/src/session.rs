//! Calls into one plugin: an instance that is kept for many calls and replaced after a trap, and batches that are repeated
//! one by one to name the input that a plugin fails on.

use crate::call::{Failure, begin, fuel, trapped};
use crate::component::Plugin;
use crate::grants::Grants;
use crate::guest::Connect;
use crate::interface::Capability;
use crate::state::{State, bytes};
use diapason_core::{Error, Result};
use serde_json::{Map, Value};
use wasmtime::Store;

/// Inputs of one call: enough that the settings are not parsed for every sample, few enough that memory stays bounded.
const BATCH: usize = 256;

/// A batch that can be repeated may use the fuel of so many single calls before it is. A guest that loops in a batch of
/// 256 is thus found in seconds, and long before the wall-time backstop, which would not be deterministic.
const ATTEMPT: usize = 15;

/// Bytes of a plugin's own reason that are shown.
const REASON: usize = 4096;

/// So many times what a plugin was given it may give back, whatever `limits.total_output` says.
const PER_GIVEN: usize = 16;

/// What a call into a guest gives: a trap, or what the guest says, which may be a refusal.
pub(crate) type Answer<R> = wasmtime::Result<Result<R, String>>;

/// A plugin with its settings and grants, ready to be called. `G` is the interface that is used.
pub(crate) struct Session<G> {
    plugin: Plugin,
    capability: Capability,
    settings: String,
    grants: Grants,
    connect: Connect<G>,
    live: Option<Live<G>>,
    batch: usize,
    /// Bytes that the plugin was given and that it gave back, in all calls together.
    given: usize,
    kept: usize,
}

/// An instance that has not trapped.
struct Live<G> {
    store: Store<State>,
    guest: G,
}

/// How a call is made.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// The call may use `limits.fuel` once, and once more for each of these.
    pub(crate) items: usize,
    /// Whether its lines are kept out of the log.
    pub(crate) muted: bool,
}

impl<G> Session<G> {
    /// Checks that the plugin can do this, takes these settings and gets what it imports. Starts no instance yet.
    pub(crate) fn open(
        plugin: &Plugin,
        capability: Capability,
        settings: &Map<String, Value>,
        grants: &Grants,
        connect: Connect<G>,
    ) -> Result<Self> {
        plugin.require(capability)?;
        plugin.check_settings(settings)?;
        plugin.check_grants(grants)?;
        let settings = Value::Object(settings.clone()).to_string();
        let (plugin, grants) = (plugin.clone(), grants.clone());
        Ok(Self { plugin, capability, settings, grants, connect, live: None, batch: BATCH, given: 0, kept: 0 })
    }

    pub(crate) fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Drops the instance, so that the next call gets a fresh one.
    pub(crate) fn restart(&mut self) {
        self.live = None;
    }

    /// One call. `invoke` gets the store, the interface and the settings as JSON.
    pub(crate) fn call<R>(
        &mut self,
        terms: Terms,
        invoke: impl FnOnce(&mut Store<State>, &G, &String) -> Answer<R>,
    ) -> Result<R, Failure> {
        let limits = self.plugin.limits();
        let _running = self.plugin.engine().running();
        let mut live = match self.live.take() {
            Some(live) => live,
            None => self.start().map_err(|error| trapped(&error, limits, limits.fuel))?,
        };
        let fuel = fuel(limits, terms.items);
        let answer = begin(&mut live.store, limits, fuel).and_then(|()| {
            live.store.data_mut().log.mute(terms.muted);
            invoke(&mut live.store, &live.guest, &self.settings)
        });
        live.store.data_mut().end_call();
        let answer = answer.map_err(|error| trapped(&error, limits, fuel))?;
        self.live = Some(live);
        answer.map_err(Failure::Refused)
    }

    /// Calls in batches, one result for each input, in the order of the inputs. Where a batch fails, its inputs are given
    /// one by one: either one of them fails alone and is named (`name` gets its index), or all of them succeed, and since
    /// results must not depend on batches, those are the results.
    pub(crate) fn map<I, R>(
        &mut self,
        call: &str,
        inputs: &[I],
        name: impl Fn(usize, &I) -> String,
        invoke: impl Fn(&mut Store<State>, &G, &String, &[I]) -> Answer<Vec<R>>,
    ) -> Result<Vec<R>> {
        self.map_weighed(call, inputs, name, |_| 1, invoke)
    }

    /// [`map`](Self::map) for inputs of which `weigh` says how many times `limits.fuel` each may use.
    pub(crate) fn map_weighed<I, R>(
        &mut self,
        call: &str,
        inputs: &[I],
        name: impl Fn(usize, &I) -> String,
        weigh: impl Fn(&I) -> usize,
        invoke: impl Fn(&mut Store<State>, &G, &String, &[I]) -> Answer<Vec<R>>,
    ) -> Result<Vec<R>> {
        let mut results = Vec::with_capacity(inputs.len());
        while results.len() < inputs.len() {
            let start = results.len();
            let batch = &inputs[start..inputs.len().min(start + self.batch)];
            match self.attempt(batch, false, &weigh, &invoke) {
                Ok(part) => results.extend(part),
                Err(failure) if batch.len() == 1 || matches!(failure, Failure::Count { .. }) => {
                    let last = start + batch.len() - 1;
                    let place = range(&name(start, &inputs[start]), &name(last, &inputs[last]));
                    return Err(self.error(call, &place, failure));
                }
                Err(_) => {
                    for (offset, input) in batch.iter().enumerate() {
                        let single = self.attempt(std::slice::from_ref(input), true, &weigh, &invoke);
                        results
                            .extend(single.map_err(|failure| self.error(call, &name(start + offset, input), failure))?);
                    }
                    // The plugin needs more than a large batch may use: smaller ones save the repetition.
                    self.batch = ATTEMPT;
                }
            }
        }
        Ok(results)
    }

    fn attempt<I, R>(
        &mut self,
        batch: &[I],
        muted: bool,
        weigh: impl Fn(&I) -> usize,
        invoke: impl Fn(&mut Store<State>, &G, &String, &[I]) -> Answer<Vec<R>>,
    ) -> Result<Vec<R>, Failure> {
        let (all, most) = batch.iter().map(weigh).fold((0_usize, 0), |(all, most), one| (all + one, most.max(one)));
        let terms = Terms { items: all.min(ATTEMPT.max(most)), muted };
        let results = self.call(terms, |store, guest, settings| invoke(store, guest, settings, batch))?;
        let (given, expected) = (results.len(), batch.len());
        if given == expected { Ok(results) } else { Err(Failure::Count { given, expected }) }
    }

    /// A session of the same plugin, settings and grants that has made no call yet.
    pub(crate) fn fresh(&self) -> Self {
        let (plugin, grants, settings) = (self.plugin.clone(), self.grants.clone(), self.settings.clone());
        let (capability, connect) = (self.capability, self.connect);
        Self { plugin, capability, settings, grants, connect, live: None, batch: BATCH, given: 0, kept: 0 }
    }

    /// Accounts for what a call was given and gave back. Errors where the plugin has given back too much in all.
    pub(crate) fn spend(&mut self, call: &str, given: usize, kept: usize) -> Result<()> {
        self.given = self.given.saturating_add(given);
        self.kept = self.kept.saturating_add(kept);
        let limit = self.plugin.limits().total_output;
        if self.kept <= bytes(limit).saturating_add(self.given.saturating_mul(PER_GIVEN)) {
            return Ok(());
        }
        let cause = format!("it has returned {} MiB in all, from {} MiB of input", self.kept >> 20, self.given >> 20);
        Err(self.failed(call, "").because(cause).hint(format!(
            "raise limits.total_output, which is {limit} MiB beside {PER_GIVEN} times the input, if the plugin is \
             known to need more; otherwise this is its fault"
        )))
    }

    /// An error about a result that makes no sense.
    pub(crate) fn nonsense(&self, call: &str, place: &str, what: impl Into<String>) -> Error {
        self.failed(call, place).because(what.into()).hint("this is a fault of the plugin: report it to its author")
    }

    /// An error about an input that was answered differently when it was given once more.
    pub(crate) fn inconsistent(&self, call: &str, place: &str, difference: &str) -> Error {
        self.failed(call, place).because(format!("its answer depends on earlier calls: {difference}")).hint(
            "this is a fault of the plugin: the same input must give the same result, whatever it was given before",
        )
    }

    /// An error about a failed call; `place` names the input, or is empty.
    pub(crate) fn error(&self, call: &str, place: &str, failure: Failure) -> Error {
        let error = self.failed(call, place);
        match failure {
            Failure::Refused(reason) => error
                .because(reason[..reason.floor_char_boundary(REASON)].to_owned())
                .hint("the plugin refused this itself; check its settings, and the input if one is named"),
            Failure::Trapped { cause, hint } => error.because(cause).hint(hint),
            Failure::Count { given, expected } => error
                .because(format!("{given} results for {expected} inputs"))
                .hint("this is a fault of the plugin: it must give one result for each input"),
        }
    }

    fn failed(&self, call: &str, place: &str) -> Error {
        let (id, version, capability) = (self.plugin.id(), self.plugin.version(), self.capability);
        let place = if place.is_empty() { String::new() } else { format!(" at {place}") };
        Error::plugin(format!("plugin {id} {version} failed in {capability}.{call}{place}"))
    }

    fn start(&self) -> wasmtime::Result<Live<G>> {
        let (mut store, instance) = self.plugin.instantiate(self.grants.clone())?;
        let guest = (self.connect)(self.plugin.pre(), &mut store, &instance)?;
        Ok(Live { store, guest })
    }
}

fn range(first: &str, last: &str) -> String {
    if first == last { first.into() } else { format!("{first} to {last}") }
}
