//! Backward passes over a record of operations.
//!
//! candle's own backward pass makes zeros for every gradient, adds to them, and holds all activations until its end: a
//! sixth of a training step on the CPU. Here the first gradient of a tensor is taken as it is, and what an operation kept
//! goes as soon as its gradient is known.
//!
//! Operations are recorded while [`Tape::record`] runs, on its thread. A gradient that arrives at a tensor which no
//! recorded operation made, and which is no variable, is an error: candle's operations between ours are recorded by
//! [`composed`], never forgotten.

mod pull_back;

pub use pull_back::pull_back;

use candle_core::{CustomOp1, CustomOp2, CustomOp3, Result, Shape, Tensor, TensorId, Var, bail};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

thread_local! {
    static RECORDED: RefCell<Option<Vec<Node>>> = const { RefCell::new(None) };
}

/// A backward function: the gradients of an operation's arguments, of its result and the gradient of that.
type Backward = Box<dyn FnOnce(&[Tensor], &Tensor, &Tensor) -> Result<Vec<Option<Tensor>>>>;

/// One operation of the record.
struct Node {
    arguments: Vec<Tensor>,
    result: Tensor,
    backward: Backward,
}

/// The operations of a forward pass, in their order.
pub struct Tape(Vec<Node>);

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
        let nodes = RECORDED.take();
        drop(recording);
        match nodes {
            Some(nodes) => Ok((result, Self(nodes))),
            None => bail!("a forward pass was recorded within this one"),
        }
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
        for Node { arguments, result, backward } in self.0.into_iter().rev() {
            let Some(gradient) = gradients.take(&result) else { continue };
            let gradients_of_arguments = backward(&arguments, &result, &gradient)?;
            for (argument, gradient) in arguments.iter().zip(gradients_of_arguments) {
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

/// Records that `result` was made of `arguments`, if a gradient goes through it.
pub(crate) fn note(arguments: &[&Tensor], result: &Tensor, backward: impl FnOnce() -> Backward) {
    RECORDED.with_borrow_mut(|nodes| {
        if let (Some(nodes), true) = (nodes, result.track_op()) {
            let arguments = arguments.iter().map(|argument| (*argument).clone()).collect();
            nodes.push(Node { arguments, result: result.clone(), backward: backward() });
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
    let backward = move |arguments: &[Tensor], y: &Tensor, g: &Tensor| {
        op.bwd(&arguments[0], &arguments[1], y, g).map(|(g1, g2)| vec![g1, g2])
    };
    note(&[x1, x2], &y, || Box::new(backward));
    Ok(y)
}

/// `op` of three tensors.
pub fn apply3(x1: &Tensor, x2: &Tensor, x3: &Tensor, op: impl CustomOp3 + Send + Sync + 'static) -> Result<Tensor> {
    let op: Arc<Box<dyn CustomOp3 + Send + Sync>> = Arc::new(Box::new(op));
    let y = x1.apply_op3_arc(x2, x3, op.clone())?;
    let backward = move |arguments: &[Tensor], y: &Tensor, g: &Tensor| {
        op.bwd(&arguments[0], &arguments[1], &arguments[2], y, g).map(|(g1, g2, g3)| vec![g1, g2, g3])
    };
    note(&[x1, x2, x3], &y, || Box::new(backward));
    Ok(y)
}

/// `x + y`.
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
    if RECORDED.with_borrow(|nodes| nodes.is_none()) {
        let arguments: Vec<Tensor> = arguments.iter().map(|argument| (*argument).clone()).collect();
        return function(&arguments);
    }
    let leaf = |argument: &&Tensor| {
        if argument.track_op() {
            Var::from_tensor(&argument.detach()).map(Var::into_inner)
        } else {
            Ok((*argument).clone())
        }
    };
    let leaves: Vec<Tensor> = arguments.iter().map(leaf).collect::<Result<_>>()?;
    let y = function(&leaves)?;
    let backward = move |_: &[Tensor], y: &Tensor, g: &Tensor| {
        let mut store = pull_back(y, g)?;
        Ok(leaves.iter().map(|leaf| store.remove(leaf)).collect())
    };
    note(arguments, &y, || Box::new(backward));
    Ok(y)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernels::check::{assert_close, random};
    use crate::kernels::{add_residual, add_to_rows, linear, lora, rms_norm, swiglu};

    fn var(shape: &[usize], seed: u64) -> Var {
        Var::from_tensor(&random(shape, seed)).unwrap()
    }

    /// One of each: an operation of one, two and three tensors, a view, a composition, a tensor that is read twice.
    fn block(x: &Tensor, vars: &[Var]) -> Result<Tensor> {
        let [norm, weight, bias, a, b] = vars else { unreachable!("five variables") };
        let normed = rms_norm(x, norm, 1e-5)?;
        let gate = add_to_rows(linear(&normed, &weight.as_tensor().clone().into(), None)?, bias)?;
        let up = lora(&normed, &random(&[6, 6], 9).into(), None, a, b, 0.5, None)?;
        let y = reshape(&swiglu(&gate, &up)?, (4, 6))?;
        reshape(&add_residual(&reshape(x, (4, 6))?, y)?, (2, 2, 6))
    }

    #[test]
    fn gradients_are_those_of_candle() {
        let shapes: [&[usize]; 5] = [&[6], &[6, 6], &[6], &[2, 6], &[6, 2]];
        let vars: Vec<Var> = shapes.iter().zip(1..).map(|(shape, seed)| var(shape, seed)).collect();
        let (x, dy) = (var(&[2, 2, 6], 20), random(&[2, 2, 6], 21));
        let theirs = pull_back(&block(&x, &vars).unwrap(), &dy).unwrap();
        let (y, tape) = Tape::record(|| block(&x, &vars)).unwrap();
        let mut ours = tape.backward(y, dy, &[]).unwrap();
        for var in vars.iter().chain([&x]) {
            assert_close(&ours.take(var).unwrap(), theirs.get(var).unwrap(), 1e-6);
        }
        assert!(ours.0.is_empty());
    }

    #[test]
    fn a_gradient_that_would_get_lost_is_an_error() {
        let (x, norm) = (var(&[3, 4], 1), random(&[4], 2));
        let backward = |wanted: bool| {
            let square = x.sqr()?;
            let (y, tape) = Tape::record(|| rms_norm(&square, &norm, 1e-5))?;
            let dy = y.ones_like()?;
            let wanted: Vec<&Tensor> = wanted.then_some(&square).into_iter().collect();
            tape.backward(y, dy, &wanted)
        };
        assert_eq!(backward(true).unwrap().0.len(), 1);
        let error = backward(false).err().unwrap().to_string();
        assert!(error.contains("ends at an operation that was not recorded"), "{error}");
    }

    #[test]
    fn a_recording_holds_no_other_and_ends_with_what_it_records() {
        let nested = Tape::record(|| Tape::record(|| Ok(())).map(|_| ()));
        assert!(nested.err().unwrap().to_string().contains("within another"));
        let swallowed = Tape::record(|| Ok(Tape::record(|| Ok(())).is_err()));
        assert!(swallowed.err().unwrap().to_string().contains("within this one"));
        assert!(std::panic::catch_unwind(|| Tape::record(|| -> Result<()> { panic!("on purpose") })).is_err());
        assert!(Tape::record(|| Ok(())).unwrap().1.0.is_empty());
        assert!(Tape(Vec::new()).backward(random(&[2], 1), random(&[3], 1), &[]).is_err());
    }
}
