//! What may be spent: it is asked before every request, so that no answer is paid for that the budget does not cover.

use diapason_core::config::{Budget, Price};
use diapason_core::engine::Usage;
use diapason_core::{Error, Result};
use serde::Serialize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What has been spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spent {
    /// Requests that were sent.
    pub requests: u64,
    /// Tokens of prompts.
    pub prompt_tokens: u64,
    /// Tokens of answers.
    pub completion_tokens: u64,
    /// Time at work.
    pub seconds: f64,
    /// Money, in the currency of the prices; `None` without prices.
    pub cost: Option<f64>,
}

/// The most that a request can take.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Most {
    /// A token has at least a byte, so a prompt's bytes bound its tokens, but for those that a template adds.
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
}

/// The accounts of one server.
#[derive(Debug)]
pub(crate) struct Ledger {
    budget: Budget,
    price: Price,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: u64,
    /// Settled tokens, and those that requests under way may take.
    spent: Most,
    reserved: Most,
    worked: Duration,
    at_work_since: Option<Instant>,
}

impl Ledger {
    /// Errors if money is limited and nothing has a price.
    pub(crate) fn new(budget: &Budget, price: Option<&Price>) -> Result<Self> {
        let price = price.cloned().unwrap_or_default();
        if budget.cost.is_some() && price == Price::default() {
            return Err(Error::config("`budget.cost` limits money, but the arm has no `price`")
                .hint("add `price = { prompt_million = …, completion_million = … }` to the arm"));
        }
        Ok(Self { budget: budget.clone(), price, state: Mutex::default(), freed: Condvar::new() })
    }

    /// Reserves what a request may take, once no other request can use that up.
    ///
    /// Errors if the budget does not cover it.
    pub(crate) fn admit(&self, most: Most) -> Result<()> {
        let mut state = self.state();
        loop {
            self.covers(&state, most)?;
            let with_others = add(state.reserved, most);
            if state.reserved == Most::default() || self.covers(&state, with_others).is_ok() {
                state.reserved = with_others;
                state.requests += 1;
                return Ok(());
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives back what a request that is not sent had reserved.
    pub(crate) fn withdraw(&self, most: Most) {
        self.state().requests -= 1;
        self.settle(most, Usage { prompt_tokens: Some(0), completion_tokens: Some(0), seconds: 0.0 });
    }

    /// Books what a request took. What is not known counts as the most that it may have been.
    pub(crate) fn settle(&self, most: Most, usage: Usage) {
        let mut state = self.state();
        let reserved = state.reserved;
        state.reserved = Most {
            prompt: reserved.prompt.saturating_sub(most.prompt),
            completion: reserved.completion.saturating_sub(most.completion),
        };
        let took = Most {
            prompt: usage.prompt_tokens.unwrap_or(most.prompt),
            completion: usage.completion_tokens.unwrap_or(most.completion),
        };
        state.spent = add(state.spent, took);
        self.freed.notify_all();
    }

    /// Starts the clock.
    pub(crate) fn begin(&self) {
        self.state().at_work_since = Some(Instant::now());
    }

    /// Stops the clock.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.worked = state.worked();
        state.at_work_since = None;
    }

    /// What has been spent so far.
    pub(crate) fn spent(&self) -> Spent {
        let state = self.state();
        Spent {
            requests: state.requests,
            prompt_tokens: state.spent.prompt,
            completion_tokens: state.spent.completion,
            seconds: state.worked().as_secs_f64(),
            cost: (self.price != Price::default()).then(|| self.cost(&state, state.spent)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cost(&self, state: &State, tokens: Most) -> f64 {
        let Price { prompt_million, completion_million, hour } = self.price;
        let million = |count: u64, price: Option<f64>| count as f64 / 1e6 * price.unwrap_or(0.0);
        let worked = state.worked().as_secs_f64() / 3600.0 * hour.unwrap_or(0.0);
        million(tokens.prompt, prompt_million) + million(tokens.completion, completion_million) + worked
    }

    /// Errors if `more` and what is spent are above a limit.
    fn covers(&self, state: &State, more: Most) -> Result<()> {
        let hint = "the answers so far are kept; raise the arm's `endpoint.budget` and run the same command again";
        let over = |limit: String, spent: String| {
            Err(Error::run(format!("the budget of {limit} does not cover the next request: {spent} spent")).hint(hint))
        };
        let after = add(state.spent, more);
        if let Some(limit) = self.budget.requests.filter(|limit| state.requests >= *limit) {
            return over(format!("{limit} requests"), format!("{} are", state.requests));
        }
        if let Some(limit) = self.budget.tokens.filter(|limit| total(after) > *limit) {
            return over(format!("{limit} tokens"), format!("{} are", total(state.spent)));
        }
        if let Some(limit) = self.budget.cost.filter(|limit| self.cost(state, after) > *limit) {
            return over(format!("{limit} (money)"), format!("{:.4} is", self.cost(state, state.spent)));
        }
        Ok(())
    }
}

impl State {
    fn worked(&self) -> Duration {
        self.worked + self.at_work_since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

fn add(a: Most, b: Most) -> Most {
    Most { prompt: a.prompt.saturating_add(b.prompt), completion: a.completion.saturating_add(b.completion) }
}

fn total(tokens: Most) -> u64 {
    tokens.prompt.saturating_add(tokens.completion)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn took(prompt: u64, completion: u64) -> Usage {
        Usage { prompt_tokens: Some(prompt), completion_tokens: Some(completion), seconds: 0.0 }
    }

    #[test]
    fn a_request_that_the_budget_does_not_cover_is_not_sent() {
        let budget = Budget { tokens: Some(100), ..Budget::default() };
        let ledger = Ledger::new(&budget, None).unwrap();
        let most = Most { prompt: 40, completion: 20 };
        ledger.admit(most).unwrap();
        ledger.settle(most, took(10, 20));
        ledger.admit(most).unwrap();
        ledger.settle(most, Usage::default());
        let error = ledger.admit(most).unwrap_err().to_string();
        assert_eq!(error, "the budget of 100 tokens does not cover the next request: 90 are spent");
        let spent = ledger.spent();
        assert_eq!((spent.requests, spent.prompt_tokens, spent.completion_tokens), (2, 50, 40));
    }

    #[test]
    fn money_is_counted_by_prices() {
        let budget = Budget { cost: Some(1.0), ..Budget::default() };
        assert!(Ledger::new(&budget, None).unwrap_err().to_string().contains("price"));
        let price = Price { prompt_million: Some(1000.0), completion_million: Some(10_000.0), hour: None };
        let ledger = Ledger::new(&budget, Some(&price)).unwrap();
        let most = Most { prompt: 100, completion: 50 };
        ledger.admit(most).unwrap();
        ledger.settle(most, took(100, 40));
        assert_eq!(ledger.spent().cost, Some(0.5));
        assert!(ledger.admit(most).unwrap_err().to_string().contains("0.5000 is spent"));
    }

    #[test]
    fn what_is_under_way_counts_until_it_is_settled() {
        let budget = Budget { tokens: Some(100), ..Budget::default() };
        let ledger = Ledger::new(&budget, None).unwrap();
        let most = Most { prompt: 30, completion: 30 };
        ledger.admit(most).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| ledger.admit(most));
            std::thread::sleep(Duration::from_millis(50));
            assert!(!second.is_finished(), "it waits for what the first one really took");
            ledger.settle(most, took(10, 5));
            second.join().unwrap().unwrap();
        });
    }
}
