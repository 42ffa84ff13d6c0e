//! `comparator`: judges two arms' answers side by side.

use super::judgement;
use crate::bindings::exports::diapason::plugin::comparator::Guest;
use crate::component::Plugin;
use crate::grants::Grants;
use crate::guest;
use crate::interface::Capability;
use crate::session::{Session, Terms};
use crate::size;
use crate::translate;
use diapason_core::Result;
use diapason_core::score::{Judgement, MeasureInfo, Pair};
use serde_json::{Map, Value};

/// A plugin used as a comparator, under some settings.
pub struct Comparator {
    session: Session<Guest>,
    infos: Option<Vec<MeasureInfo>>,
}

impl Comparator {
    /// Errors where the plugin is no comparator, does not take these settings or imports what is not granted.
    pub fn new(plugin: &Plugin, settings: &Map<String, Value>, grants: &Grants) -> Result<Self> {
        let session = Session::open(plugin, Capability::Comparator, settings, grants, guest::comparator)?;
        Ok(Self { session, infos: None })
    }

    /// The measures that [`Comparator::compare`] gives.
    pub fn describe(&mut self) -> Result<Vec<MeasureInfo>> {
        if let Some(infos) = &self.infos {
            return Ok(infos.clone());
        }
        let terms = Terms { items: 0, muted: false };
        let infos = self.session.call(terms, |store, guest, settings| guest.call_describe(store, settings));
        let infos = infos.map_err(|failure| self.session.error("describe", "", failure))?;
        let infos: Vec<_> = infos.into_iter().map(translate::measure_info_from_wit).collect();
        judgement::check_infos(&infos).map_err(|what| self.session.nonsense("describe", "", what))?;
        self.infos = Some(infos.clone());
        Ok(infos)
    }

    /// A judgement for each pair, in the order of the pairs.
    pub fn compare(&mut self, pairs: &[Pair]) -> Result<Vec<Judgement>> {
        let infos = self.describe()?;
        let judgements = self.session.map("compare", pairs, name, |store, guest, settings, batch| {
            let batch: Vec<_> = batch.iter().map(translate::pair_to_wit).collect();
            guest.call_compare(store, settings, &batch)
        })?;
        let judgements: Vec<_> = judgements.into_iter().map(translate::judgement_from_wit).collect();
        for (judgement, pair) in judgements.iter().zip(pairs) {
            judgement::check(&infos, judgement)
                .map_err(|what| self.session.nonsense("compare", &name(0, pair), what))?;
        }
        let given = pairs.iter().map(size::pair).sum();
        self.session.spend("compare", given, judgements.iter().map(size::judgement).sum())?;
        Ok(judgements)
    }

    /// Compares some pairs again, by a second instance, one by one and in this order. Errors where a judgement is another
    /// than the first was.
    pub fn confirm(&self, pairs: &[Pair], judgements: &[Judgement], rows: &[usize]) -> Result<()> {
        let mut second = Self { session: self.session.fresh(), infos: self.infos.clone() };
        for &row in rows {
            let again = second.compare(std::slice::from_ref(&pairs[row]))?;
            if let Some(difference) = again.first().and_then(|again| judgement::difference(&judgements[row], again)) {
                return Err(self.session.inconsistent("compare", &name(row, &pairs[row]), &difference));
            }
        }
        Ok(())
    }
}

fn name(_: usize, pair: &Pair) -> String {
    super::evaluator::named(&pair.sample)
}
