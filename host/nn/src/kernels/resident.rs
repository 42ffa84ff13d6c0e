//! A value's copy in a GPU's memory, beside the value.

use std::any::Any;
use std::sync::OnceLock;

/// The copy on the GPU that first needed it. It is no part of what the value is, and what it is made of only the launcher
/// that made it knows.
#[derive(Debug, Default)]
pub(crate) struct Resident(OnceLock<Box<dyn Any + Send + Sync>>);

impl Resident {
    /// Returns the copy, made by `upload` the first time; `None` if another launcher made one of another type.
    #[cfg_attr(not(any(test, feature = "cuda")), expect(dead_code, reason = "only a GPU's launchers ask"))]
    pub(crate) fn get_or_upload<T, E>(&self, upload: impl FnOnce() -> Result<T, E>) -> Result<Option<&T>, E>
    where
        T: Any + Send + Sync,
    {
        let found = match self.0.get() {
            Some(found) => found,
            None => upload().map(|uploaded| self.0.get_or_init(|| Box::new(uploaded)))?,
        };
        Ok(found.downcast_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_made_once() {
        let resident = Resident::default();
        assert_eq!(resident.get_or_upload::<u8, _>(|| Err("no memory")), Err("no memory"));
        assert_eq!(resident.get_or_upload(|| Result::<_, ()>::Ok(1_u8)), Ok(Some(&1)));
        assert_eq!(resident.get_or_upload(|| Result::<_, ()>::Ok(2_u8)), Ok(Some(&1)));
        assert_eq!(resident.get_or_upload(|| Result::<_, ()>::Ok(2_u16)), Ok(None));
    }
}
