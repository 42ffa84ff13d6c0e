use super::flips::{Flips, of_suite};
use super::{fixture, html, junit, markdown, terminal};
use crate::paint::Paint;
use diapason_core::report::Report;

/// A sample that one measure calls better and another worse is counted by both, wherever flips are counted.
#[test]
fn every_renderer_counts_the_same() {
    let mut report = fixture::report(20, 15);
    let id = report.samples[0].sample.clone();
    let valid = report.comparison.suites[0].measures[1].differences.first_mut().unwrap();
    (valid.wins, valid.losses, valid.harmful) = (valid.wins - 1, 1, vec![id.clone()]);
    let (page, comment, cases) =
        (html::render(&report).unwrap(), markdown::render(&report), junit::render(&report).unwrap());
    let all: Vec<Flips<'_>> = report.comparison.suites.iter().flat_map(of_suite).collect();
    assert!(all.iter().any(|flips| flips.worse > 0 && flips.better > 0));
    for Flips { suite, measure, better, same, worse, .. } in all {
        let row = format!("| {suite} | {measure} | {better} | {same} | {worse} |");
        assert!(comment.contains(&row), "{row} is not in {comment}");
        let link = format!(
            "data-left=\"base\" data-right=\"tuned\" data-suite=\"{suite}\" data-measure=\"{measure}\" data-kind=\"harmful\">▼ {worse}<"
        );
        assert_eq!(page.contains(&link), worse > 0, "{link}");
    }
    assert!(comment.contains(&format!("| address {id} | format.valid |")), "{comment}");
    assert!(cases.contains("got worse than base by format.valid"), "{cases}");
}

/// With more arms, what is counted is counted for every two that are compared, and nobody is called tuned who is not.
#[test]
fn every_contrast_is_told_by_its_own_names() {
    let report = fixture::four_arms(20, 15);
    let (page, comment) = (html::render(&report).unwrap(), markdown::render(&report));
    for Flips { suite, measure, contrast, better, same, worse, .. } in
        report.comparison.suites.iter().flat_map(of_suite)
    {
        let row = format!("| {suite} | {measure} | {contrast} | {better} | {same} | {worse} |");
        assert!(comment.contains(&row), "{row} is not in {comment}");
        let (left, right) = (&contrast.reference, &contrast.candidate);
        let link = format!(
            "data-left=\"{left}\" data-right=\"{right}\" data-suite=\"{suite}\" data-measure=\"{measure}\" data-kind=\"harmful\">▼ {worse}<"
        );
        assert_eq!(page.contains(&link), worse > 0, "{link}");
    }
}

/// A project that trains nothing and has no base model: no text promises a tuned one.
#[test]
fn without_a_tuned_arm_nothing_is_said_of_one() {
    for report in [fixture::served(12), fixture::alone(12)] {
        says_nothing_of_tuned(&report);
    }
}

fn says_nothing_of_tuned(report: &Report) {
    let (page, comment, cases) =
        (html::render(report).unwrap(), markdown::render(report), junit::render(report).unwrap());
    let body = page.split_once("<body>").unwrap().1.split_once("<script").unwrap().0;
    let screen = terminal::report(report, std::path::Path::new("runs/latest"), Paint::on(&std::io::stdout()));
    for (text, file) in [(body, "html"), (&comment, "md"), (&cases, "xml"), (&screen, "terminal")] {
        for wrong in ["tuned", "Tuned", "base", "Base"] {
            assert!(!text.contains(wrong), "{wrong} in {file}: {text}");
        }
        assert!(text.contains("production"), "{file}: {text}");
    }
}
