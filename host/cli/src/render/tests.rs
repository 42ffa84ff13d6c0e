use super::flips::{Flips, of_suite};
use super::{fixture, html, junit, markdown};

/// A sample that one measure calls better and another worse is counted by both, wherever flips are counted.
#[test]
fn every_renderer_counts_the_same() {
    let mut report = fixture::report(20, 15);
    let id = report.samples[0].sample.clone();
    let valid = report.comparison.suites[0].measures[1].difference.as_mut().unwrap();
    (valid.wins, valid.losses, valid.harmful) = (valid.wins - 1, 1, vec![id.clone()]);
    let (page, comment, cases) =
        (html::render(&report).unwrap(), markdown::render(&report), junit::render(&report).unwrap());
    let all: Vec<Flips<'_>> = report.comparison.suites.iter().flat_map(of_suite).collect();
    assert!(all.iter().any(|flips| flips.worse > 0 && flips.better > 0));
    for Flips { suite, measure, better, same, worse, .. } in all {
        let row = format!("| {suite} | {measure} | {better} | {same} | {worse} |");
        assert!(comment.contains(&row), "{row} is not in {comment}");
        let link = format!("data-suite=\"{suite}\" data-measure=\"{measure}\" data-kind=\"harmful\">▼ {worse}<");
        assert_eq!(page.contains(&link), worse > 0, "{link}");
    }
    assert!(comment.contains(&format!("| address {id} | format.valid |")), "{comment}");
    assert!(cases.contains("got worse than base by format.valid"), "{cases}");
}
