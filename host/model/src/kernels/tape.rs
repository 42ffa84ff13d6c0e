//! Backward passes over a record of operations.
//!
//! candle's own backward pass makes zeros for every gradient, adds to them, and holds all activations until its end: a
//! sixth of a training step on the CPU. Here the first gradient of a tensor is taken as it is, and what an operation kept
//! goes as soon as its gradient is known.
//!
//! Operations are recorded while [`Tape::record`] runs, on its thread. A gradient that arrives at a tensor which no
//! recorded operation made, and which is no variable, is an error: candle's operations between ours are recorded by
//! [`composed`], never forgotten.

use super::pull_back;
use candle_core::{CustomOp1, CustomOp2, CustomOp3, Result, Shape, Tensor, TensorId, Var, bail};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

thread_local! {
    static RECORDED: RefCell<Option<Vec<Step>>> = const { RefCell::new(None) };
}

/// The gradients of an operation's arguments, of its result and the gradient of that.
type Pull = Box<dyn FnOnce(&[Tensor], &Tensor, &Tensor) -> Result<Vec<Option<Tensor>>>>;

struct Step {
    arguments: Vec<Tensor>,
    result: Tensor,
    pull: Pull,
}

/// The operations of a forward pass, in their order.
pub struct Tape(Vec<Step>);

/// Gradients by tensor.
#[derive(Default)]
pub struct Gradients(HashMap<TensorId, (Tensor, Tensor)>);

/// Ends the recording, also where it panicked.
struct Recording;

impl Drop for Recording {
    fn drop(&mut self) {
        RECORDED.take();
    }
}

impl Tape {
    /// Runs `forward` and records its operations.
    pub fn record<T>(forward: impl FnOnce() -> Result<T>) -> Result<(T, Self)> {
        let recording = Recording;
        if RECORDED.replace(Some(Vec::new())).is_some() {
            bail!("a forward pass is recorded within another");
        }
        let result = forward()?;
        let steps = RECORDED.take().unwrap_or_default();
        drop(recording);
        Ok((result, Self(steps)))
    }

    /// The gradients of variables, and of tensors in `wanted` that came from elsewhere, for `gradient` at `result`.
    /// Takes `result` so that nobody holds what goes on the way.
    pub fn backward(self, result: Tensor, gradient: Tensor, wanted: &[&Tensor]) -> Result<Gradients> {
        if result.shape() != gradient.shape() {
            bail!("a gradient of {:?} does not fit {:?}", gradient.shape(), result.shape());
        }
        let mut gradients = Gradients::default();
        gradients.add(&result, gradient)?;
        drop(result);
        for Step { arguments, result, pull } in self.0.into_iter().rev() {
            let Some(gradient) = gradients.take(&result) else { continue };
            let pulled = pull(&arguments, &result, &gradient)?;
            for (argument, gradient) in arguments.iter().zip(pulled) {
                match gradient {
                    Some(gradient) if argument.track_op() => gradients.add(argument, gradient)?,
                    _ => {}
                }
            }
        }
        let lost = |tensor: &Tensor| !tensor.is_variable() && wanted.iter().all(|wanted| wanted.id() != tensor.id());
        match gradients.0.values().find(|(tensor, _)| lost(tensor)) {
            Some((tensor, _)) => bail!("a gradient of {:?} ends at an operation that was not recorded", tensor.shape()),
            None => Ok(gradients),
        }
    }
}

impl Gradients {
    /// Adds to the gradient of `tensor`.
    pub fn add(&mut self, tensor: &Tensor, gradient: Tensor) -> Result<()> {
        let sum = match self.take(tensor) {
            Some(sum) => (sum + gradient)?,
            None => gradient,
        };
        self.0.insert(tensor.id(), (tensor.clone(), sum.detach()));
        Ok(())
    }

    /// Adds all of `others`.
    pub fn merge(&mut self, others: Self) -> Result<()> {
        others.0.into_values().try_for_each(|(tensor, gradient)| self.add(&tensor, gradient))
    }

    /// The gradient of `tensor`, which is forgotten.
    pub fn take(&mut self, tensor: &Tensor) -> Option<Tensor> {
        self.0.remove(&tensor.id()).map(|(_, gradient)| gradient)
    }
}

fn note(arguments: &[&Tensor], result: &Tensor, pull: impl FnOnce() -> Pull) {
    RECORDED.with_borrow_mut(|steps| {
        if let (Some(steps), true) = (steps, result.track_op()) {
            let arguments = arguments.iter().map(|argument| (*argument).clone()).collect();
            steps.push(Step { arguments, result: result.clone(), pull: pull() });
        }
    });
}

/// `op` of `x`.
pub(crate) fn apply1(x: &Tensor, op: impl CustomOp1 + Send + Sync + 'static) -> Result<Tensor> {
    let op: Arc<Box<dyn CustomOp1 + Send + Sync>> = Arc::new(Box::new(op));
    let y = x.apply_op1_arc(op.clone())?;
    note(&[x], &y, || Box::new(move |arguments, y, g| Ok(vec![op.bwd(&arguments[0], y, g)?])));
    Ok(y)
}

/// `op` of two tensors.
pub(crate) fn apply2(x1: &Tensor, x2: &Tensor, op: impl CustomOp2 + Send + Sync + 'static) -> Result<Tensor> {
    let op: Arc<Box<dyn CustomOp2 + Send + Sync>> = Arc::new(Box::new(op));
    let y = x1.apply_op2_arc(x2, op.clone())?;
    let pull = move |arguments: &[Tensor], y: &Tensor, g: &Tensor| {
        op.bwd(&arguments[0], &arguments[1], y, g).map(|(g1, g2)| vec![g1, g2])
    };
    note(&[x1, x2], &y, || Box::new(pull));
    Ok(y)
}

/// `op` of three tensors.
pub(crate) fn apply3(
    x1: &Tensor,
    x2: &Tensor,
    x3: &Tensor,
    op: impl CustomOp3 + Send + Sync + 'static,
) -> Result<Tensor> {
    let op: Arc<Box<dyn CustomOp3 + Send + Sync>> = Arc::new(Box::new(op));
    let y = x1.apply_op3_arc(x2, x3, op.clone())?;
    let pull = move |arguments: &[Tensor], y: &Tensor, g: &Tensor| {
        op.bwd(&arguments[0], &arguments[1], &arguments[2], y, g).map(|(g1, g2, g3)| vec![g1, g2, g3])
    };
    note(&[x1, x2, x3], &y, || Box::new(pull));
    Ok(y)
}

/// `x + y` by candle.
pub(crate) fn add(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let sum = (x + y)?;
    note(&[x, y], &sum, || Box::new(|_, _, g| Ok(vec![Some(g.clone()), Some(g.clone())])));
    Ok(sum)
}

/// `x`, its elements in another shape.
pub fn reshape(x: &Tensor, shape: impl Into<Shape>) -> Result<Tensor> {
    let y = x.reshape(shape.into())?;
    note(&[x], &y, || Box::new(|arguments, _, g| Ok(vec![Some(g.reshape(arguments[0].shape())?)])));
    Ok(y)
}

/// A function of candle's operations, which candle differentiates. While recording, arguments with gradients are copied.
pub fn composed(arguments: &[&Tensor], function: impl FnOnce(&[Tensor]) -> Result<Tensor>) -> Result<Tensor> {
    if RECORDED.with_borrow(|steps| steps.is_none()) {
        let arguments: Vec<Tensor> = arguments.iter().map(|argument| (*argument).clone()).collect();
        return function(&arguments);
    }
    let leaf = |argument: &&Tensor| match argument.track_op() {
        true => Var::from_tensor(&argument.detach()).map(Var::into_inner),
        false => Ok((*argument).clone()),
    };
    let leaves: Vec<Tensor> = arguments.iter().map(leaf).collect::<Result<_>>()?;
    let y = function(&leaves)?;
    let pull = move |_: &[Tensor], y: &Tensor, g: &Tensor| {
        let mut store = pull_back(y, g)?;
        Ok(leaves.iter().map(|leaf| store.remove(leaf)).collect())
    };
    note(arguments, &y, || Box::new(pull));
    Ok(y)
}
