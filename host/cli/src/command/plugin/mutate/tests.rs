use super::expectation::{ENTRIES, Expected, OTHERS, of};
use super::{answer, document, pair};

#[test]
fn every_change_that_is_expected_exists_and_is_one_thing() {
    let known: Vec<&str> =
        answer::ALL.iter().chain(&document::ALL).chain(&answer::LIKELIHOODS).map(|one| one.name).collect();
    let lists = ENTRIES.iter().map(|(_, faults, harmless)| (*faults, *harmless)).chain([OTHERS]);
    for (faults, harmless) in lists {
        for name in faults.iter().chain(harmless) {
            assert!(known.contains(name), "{name}");
        }
        assert!(faults.iter().all(|fault| !harmless.contains(fault)), "{faults:?}");
    }
    assert!(known.iter().all(|name| !pair::NAMES.contains(name)));
    assert_eq!(of("numeric", "digit changed"), Some(Expected::Fault));
    assert_eq!(of("valid", "emptied"), None);
    assert_eq!(of("my-measure", "emptied"), Some(Expected::Fault));
}
