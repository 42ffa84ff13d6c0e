//! What compiling a function costs. A compiler gives every place where branches meet a value for each local that lives
//! there, so the work grows with the product of both: 76 KB of branches over 1,000 locals took 10 s and 1.2 GB.

use super::{damaged, excessive};
use diapason_core::Result;
use wasmparser::{
    BlockType, CompositeInnerType, FuncToValidate, FuncType, FuncValidator, FuncValidatorAllocations, FunctionBody,
    Operator, OperatorsReader, TypeSectionReader, ValidatorResources, WasmModuleResources,
};

/// Work of one function, in values and instructions. The largest in real guests is 850,000, of 182 KB of Rust.
const FUNCTION: u64 = 2_000_000;

/// Work of a whole file. A JavaScript engine takes some 16,000,000.
const FILE: u64 = 36_000_000;

/// Parameters and results of one type of functions or blocks. The most in real guests are 24; a thousand of them took
/// 36 s, in a function of 9 KB.
const WIDTH: u64 = 100;

/// Ways from block to block, of one function and of a whole file. The most in real guests are some
/// 17,000 and 860,000.
const EDGES: u64 = 60_000;
const FILE_EDGES: u64 = 1_500_000;

/// Edges that a call through a table and an operation on a range of memory count as: they are compiled to checks and
/// loops. 40,000 such calls in one function took 58 s.
const CHECKED: u64 = 16;

/// Values of a call that cost nothing but themselves.
const REGISTERS: u64 = 24;

/// Blocks within blocks. The deepest in real guests are 800.
const DEPTH: u32 = 4_000;

/// Loops within loops, and values that the loops of a function take from the stack: compiling grows with the square of
/// either, and more. Guests of Rust, Python and JavaScript stay below both.
const LOOPS: usize = 64;
const LOOP_VALUES: u64 = 2_000;

/// Bytes of a function. The largest in real guests has 760,000.
const BYTES: usize = 3_000_000;

/// The functions of a file, as far as they were seen.
#[derive(Default)]
pub(super) struct Bodies {
    allocations: FuncValidatorAllocations,
    work: u64,
    edges: u64,
}

impl Bodies {
    /// Validates a function and counts its work.
    pub(super) fn add(&mut self, function: FuncToValidate<ValidatorResources>, body: &FunctionBody<'_>) -> Result<()> {
        let (index, bytes) = (function.index, body.range().len());
        let name = format!("function {index} ({} KiB)", bytes.div_ceil(1024));
        if bytes > BYTES {
            return Err(excessive(name, format!("a function has at most {} KiB", BYTES >> 10)));
        }
        let mut validator = function.into_validator(std::mem::take(&mut self.allocations));
        let work = Work::of(&mut validator, body)?;
        self.allocations = validator.into_allocations();
        if work.depth > DEPTH {
            return Err(excessive(
                name,
                format!("its blocks are nested {} deep, at most {DEPTH} are taken", work.depth),
            ));
        }
        if work.loops > LOOPS || work.loop_values > LOOP_VALUES {
            let (loops, values) = (work.loops, work.loop_values);
            let cause = format!(
                "its loops are nested {loops} deep and take {values} values, at most {LOOPS} and {LOOP_VALUES} are taken"
            );
            return Err(excessive(name, cause));
        }
        if work.edges > EDGES {
            return Err(excessive(name, format!("it has {} branches, at most {EDGES} are taken", work.edges)));
        }
        self.edges += work.edges;
        if self.edges > FILE_EDGES {
            return Err(excessive("its functions", format!("together they have more than {FILE_EDGES} branches")));
        }
        let sum = work.sum();
        if sum > FUNCTION {
            let (edges, locals) = (work.edges, work.locals());
            let cause = format!("{edges} branches and {locals} locals make {sum} units of work, at most {FUNCTION}");
            return Err(excessive(name, cause));
        }
        self.spend(sum)
    }

    /// Every signature may need a function of its own that translates between calling conventions.
    pub(super) fn signatures(&mut self, section: TypeSectionReader<'_>) -> Result<()> {
        for group in section {
            for sub in group.map_err(damaged)?.types() {
                let CompositeInnerType::Func(signature) = &sub.composite_type.inner else { continue };
                let width = width(signature);
                if width > WIDTH {
                    let cause = format!("one has {width} parameters and results, at most {WIDTH} are taken");
                    return Err(excessive("the types of its functions", cause));
                }
                self.spend(width)?;
            }
        }
        Ok(())
    }

    fn spend(&mut self, work: u64) -> Result<()> {
        self.work = self.work.saturating_add(work);
        if self.work > FILE {
            return Err(excessive("its functions", format!("together they are more than {FILE} units of work")));
        }
        Ok(())
    }
}

/// The parts of one function's work.
#[derive(Default)]
struct Work {
    instructions: u64,
    /// Ways from one block to another.
    edges: u64,
    /// Values on the stack at each edge, and those that blocks and calls take and give.
    values: u64,
    declared: u64,
    /// One bit for each local that is read: the others cost nothing where branches meet.
    read: Vec<u64>,
    depth: u32,
    /// The deepest nesting of loops, and the values that all loops take.
    loops: usize,
    loop_values: u64,
}

impl Work {
    fn of(validator: &mut FuncValidator<ValidatorResources>, body: &FunctionBody<'_>) -> Result<Self> {
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader).map_err(damaged)?;
        let declared = u64::from(validator.len_locals());
        let mut work = Self { declared, ..Self::default() };
        let mut operators = OperatorsReader::new(reader);
        // How deep each loop stands that is open.
        let mut loops: Vec<u32> = Vec::new();
        while !operators.eof() {
            let offset = operators.original_position();
            let operator = operators.read().map_err(damaged)?;
            work.count(validator, &operator);
            validator.op(offset, &operator).map_err(damaged)?;
            let depth = validator.control_stack_height();
            work.depth = work.depth.max(depth);
            while loops.last().is_some_and(|inner| *inner > depth) {
                loops.pop();
            }
            if let Operator::Loop { blockty } = operator {
                loops.push(depth);
                work.loops = work.loops.max(loops.len());
                work.loop_values += taken(validator, blockty);
            }
        }
        operators.finish().map_err(damaged)?;
        Ok(work)
    }

    fn locals(&self) -> u64 {
        self.read.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    fn sum(&self) -> u64 {
        let joined = self.edges.saturating_mul(self.locals() + 1);
        joined.saturating_add(self.values).saturating_add(self.instructions).saturating_add(self.declared)
    }

    /// The operator is about to be validated: its operands are still on the stack.
    fn count(&mut self, validator: &FuncValidator<ValidatorResources>, operator: &Operator<'_>) {
        self.instructions += 1;
        match operator {
            Operator::LocalGet { local_index } => self.reads(*local_index as usize),
            Operator::Block { blockty } => self.values(validator, *blockty),
            Operator::Loop { blockty } | Operator::TryTable { try_table: wasmparser::TryTable { ty: blockty, .. } } => {
                self.values(validator, *blockty);
                // The way in, the way back, and those around the check whether there is fuel left.
                self.edges(validator, 4);
            }
            Operator::If { blockty } => {
                self.values(validator, *blockty);
                self.edges(validator, 2);
            }
            Operator::Br { .. } | Operator::BrIf { .. } | Operator::Else | Operator::End | Operator::Return => {
                self.edges(validator, 1);
            }
            Operator::BrTable { targets } => self.edges(validator, u64::from(targets.len()) + 1),
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                let index = validator.resources().type_index_of_function(*function_index);
                self.values += index.map_or(0, |index| passed(signature(validator, index)));
            }
            Operator::CallIndirect { type_index, .. } | Operator::ReturnCallIndirect { type_index, .. } => {
                self.values += passed(signature(validator, *type_index));
                self.edges(validator, CHECKED);
            }
            Operator::MemoryCopy { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryInit { .. }
            | Operator::MemoryGrow { .. }
            | Operator::TableCopy { .. }
            | Operator::TableFill { .. }
            | Operator::TableInit { .. }
            | Operator::TableGrow { .. }
            | Operator::TableGet { .. }
            | Operator::TableSet { .. }
            | Operator::CallRef { .. }
            | Operator::ReturnCallRef { .. } => self.edges(validator, CHECKED),
            _ => {}
        }
    }

    fn edges(&mut self, validator: &FuncValidator<ValidatorResources>, count: u64) {
        self.edges += count;
        self.values = self.values.saturating_add(count.saturating_mul(u64::from(validator.operand_stack_height())));
    }

    fn values(&mut self, validator: &FuncValidator<ValidatorResources>, block: BlockType) {
        if let BlockType::FuncType(index) = block {
            self.values += signature(validator, index);
        }
    }

    fn reads(&mut self, local: usize) {
        let word = local / 64;
        if self.read.len() <= word {
            // An index that is not valid is refused right after this.
            self.read.resize((word + 1).min(1024), 0);
        }
        if let Some(word) = self.read.get_mut(word) {
            *word |= 1 << (local % 64);
        }
    }
}

fn taken(validator: &FuncValidator<ValidatorResources>, block: BlockType) -> u64 {
    let BlockType::FuncType(index) = block else { return 0 };
    match validator.resources().sub_type_at(index).map(|sub| &sub.composite_type.inner) {
        Some(CompositeInnerType::Func(signature)) => signature.params().len() as u64,
        _ => 0,
    }
}

fn signature(validator: &FuncValidator<ValidatorResources>, index: u32) -> u64 {
    match validator.resources().sub_type_at(index).map(|sub| &sub.composite_type.inner) {
        Some(CompositeInnerType::Func(signature)) => width(signature),
        _ => 0,
    }
}

/// What a call passes beyond the processor's registers goes through memory, each time. 16,000 calls that pass a hundred
/// values took 13 s and 1 GB.
fn passed(width: u64) -> u64 {
    width + width.saturating_sub(REGISTERS) * 6
}

fn width(signature: &FuncType) -> u64 {
    (signature.params().len() + signature.results().len()) as u64
}
