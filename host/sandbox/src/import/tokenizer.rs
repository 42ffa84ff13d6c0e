//! `tokenizer`: the tokenizer of the model under evaluation.

use crate::bindings::diapason::plugin::tokenizer::Host;
use crate::state::State;
use diapason_core::language_model::Tokenizer;

impl Host for State {
    fn encode(&mut self, texts: Vec<String>) -> wasmtime::Result<Result<Vec<Vec<u32>>, String>> {
        self.pass(texts.iter().map(String::len))?;
        Ok(each(self, &texts, |tokenizer, text| tokenizer.encode(text)))
    }

    fn decode(&mut self, ids: Vec<Vec<u32>>) -> wasmtime::Result<Result<Vec<String>, String>> {
        self.pass(ids.iter().map(|ids| size_of_val(ids.as_slice())))?;
        Ok(each(self, &ids, |tokenizer, ids| tokenizer.decode(ids)))
    }
}

fn each<I, O>(
    state: &mut State,
    inputs: &[I],
    work: impl Fn(&dyn Tokenizer, &I) -> diapason_core::Result<O>,
) -> Result<Vec<O>, String> {
    state.host(|grants| {
        let tokenizer = grants.tokenizer.as_deref().ok_or("no tokenizer was granted")?;
        inputs.iter().map(|input| work(tokenizer, input).map_err(|error| error.to_string())).collect()
    })
}
