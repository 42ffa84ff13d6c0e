//! The binary `diapason`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc's `mimalloc.h`, which the bindings leave out.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

fn main() -> std::process::ExitCode {
    // Every training step frees and takes the same memory again. Given back to the system in between, it would have to be
    // cleared anew each time: a third of a step's time.
    // SAFETY: stores a number, while there is only this thread.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    diapason_cli::main()
}
