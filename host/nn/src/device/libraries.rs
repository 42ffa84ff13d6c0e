//! Finds CUDA's libraries when they are first needed, so that the same program starts where there are none.
//!
//! candle links them as a program usually does: the system would look for all of them before `main`, and refuse to start
//! it without. The functions below have their names and come before them when the program is linked, so that it needs
//! none. Each jumps to wherever its slot in [`SLOTS`] points: to [`absent`], until [`driver`] and [`rest`] have found
//! the function in its library.

use super::Refusal;
use libloading::Library;
use std::arch::naked_asm;
use std::error::Error as _;
use std::ffi::{OsString, c_void};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What every function gives while its library is not there; to each of the libraries it means a failure
/// (`CUDA_ERROR_NOT_INITIALIZED` to the driver).
const ABSENT: u32 = 3;

extern "C" fn absent() -> u32 {
    ABSENT
}

/// A library and its functions that the program calls.
struct Needed {
    /// File names that it may have, the best first.
    files: &'static [&'static str],
    names: &'static [&'static str],
    /// Number of the first function's slot.
    first: usize,
    hint: &'static str,
}

macro_rules! libraries {
    ($($library:ident: $files:expr, $hint:expr, [$($name:ident)*];)*) => {
        /// Numbers the slots.
        #[allow(non_camel_case_types)]
        enum Slot { $($($name,)*)* }

        const COUNT: usize = [$($(stringify!($name),)*)*].len();

        // One of them is never looked for.
        $(#[allow(dead_code)]
        const $library: Needed = Needed {
            files: &$files,
            names: &[$(stringify!($name)),*],
            first: [$(Slot::$name as usize),*][0],
            hint: $hint,
        };)*

        $($(
            #[unsafe(naked)]
            #[unsafe(no_mangle)]
            extern "C" fn $name() {
                #[cfg(target_arch = "x86_64")]
                naked_asm!(
                    "jmp qword ptr [rip + {slots} + {offset}]",
                    slots = sym SLOTS,
                    offset = const Slot::$name as usize * size_of::<usize>(),
                );
                #[cfg(target_arch = "aarch64")]
                naked_asm!(
                    "adrp x16, {slots} + {offset}",
                    "ldr x16, [x16, :lo12:{slots} + {offset}]",
                    "br x16",
                    slots = sym SLOTS,
                    offset = const Slot::$name as usize * size_of::<usize>(),
                );
            }
        )*)*

        /// Keeps the linker from leaving out one of them before it has seen who calls it.
        #[used]
        static KEPT: [extern "C" fn(); COUNT] = [$($($name,)*)*];
    };
}

include!("functions.rs");

/// Where each function jumps to.
static SLOTS: [AtomicPtr<c_void>; COUNT] = [const { AtomicPtr::new(absent as *mut c_void) }; COUNT];

/// Finds the driver's library, the first time.
pub(super) fn driver() -> Result<(), Refusal> {
    static FOUND: OnceLock<Result<(), Refusal>> = OnceLock::new();
    FOUND.get_or_init(|| load(&DRIVER)).clone()
}

/// Finds the libraries of the CUDA toolkit, the first time.
pub(super) fn rest() -> Result<(), Refusal> {
    static FOUND: OnceLock<Result<(), Refusal>> = OnceLock::new();
    FOUND.get_or_init(|| load(&CUBLAS).and_then(|()| load(&CURAND))).clone()
}

fn load(needed: &Needed) -> Result<(), Refusal> {
    let (library, path) = find(needed)?;
    for (slot, name) in (needed.first..).zip(needed.names) {
        // SAFETY: the slot's only use is a jump by whoever called the function of this very name.
        let symbol = unsafe { library.get::<*mut c_void>(name.as_bytes()) };
        let symbol = symbol.map_err(|_| {
            (format!("{} has no function `{name}`", path.to_string_lossy()), "a newer version has it".to_owned())
        })?;
        let address: *mut c_void = *symbol;
        SLOTS[slot].store(address, Ordering::Release);
    }
    // Its functions stay in use until the program ends.
    std::mem::forget(library);
    Ok(())
}

fn find(needed: &Needed) -> Result<(Library, OsString), Refusal> {
    let mut why = None;
    for path in paths(needed.files) {
        // SAFETY: these libraries' initialisers are those that would run at the program's start were they linked to it.
        match unsafe { Library::new(&path) } {
            Ok(library) => return Ok((library, path)),
            Err(error) => {
                why.get_or_insert(error);
            }
        }
    }
    // The system's own words are a level below.
    let words = |error: libloading::Error| error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let why = why.map_or_else(|| needed.files.join(", "), words);
    Err((format!("a library of CUDA cannot be loaded: {why}"), needed.hint.to_owned()))
}

/// Where a library may be: where the system looks, then in the folders of a CUDA toolkit.
fn paths(files: &[&str]) -> impl Iterator<Item = OsString> {
    let homes = ["CUDA_HOME", "CUDA_PATH"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let homes: Vec<PathBuf> = homes.chain(["/usr/local/cuda".into()]).collect();
    let folders = homes.into_iter().flat_map(|home| ["lib64", "lib"].map(|folder| home.join(folder)));
    let folders: Vec<PathBuf> = folders.collect();
    let inside = |file: &str| folders.iter().map(|folder| folder.join(file).into_os_string()).collect::<Vec<_>>();
    let everywhere = |file: &&str| std::iter::once(OsString::from(*file)).chain(inside(file)).collect::<Vec<_>>();
    files.iter().flat_map(everywhere).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That the tests' program starts where there is no CUDA is the test of the rest.
    #[test]
    fn every_function_has_a_slot_of_its_own() {
        let mut first = 0;
        for library in [DRIVER, CUBLAS, CURAND, RUNTIME] {
            assert_eq!(library.first, first);
            first += library.names.len();
        }
        assert_eq!((first, KEPT.len()), (COUNT, COUNT));
        assert_eq!(absent(), ABSENT);
    }
}
