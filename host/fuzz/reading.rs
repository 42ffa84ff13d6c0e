//! Readers of others give up with a panic on some inputs. Diapason turns that into an error where it reads
//! (`diapason_disk::foreign::guarded`); everywhere else it is a fault.

/// Lets a panic pass where it is caught, and aborts everywhere else.
pub fn forgive_caught_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if !diapason_disk::foreign::is_inside() {
            eprintln!("{panic}");
            std::process::abort();
        }
    }));
}
