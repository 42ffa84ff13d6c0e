//! `report.html`: one file without any reference to the outside, readable without its script up to the samples.
//!
//! Two walls stand between a sample's text and the reader's browser. Text reaches the page escaped by the template or,
//! in the samples, through `textContent`; and the content security policy admits only the style and the script that
//! were compiled in, by their digests.

use super::page::Page;
use super::samples;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diapason_core::escape;
use diapason_core::report::Report;
use diapason_core::{Error, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use sha2::{Digest as _, Sha256};

const TEMPLATE: &str = include_str!("../../../../templates/report/report.html.jinja");
const FIGURES: &str = include_str!("../../../../templates/report/figures.html.jinja");
const STYLE: &str = include_str!("../../../../templates/report/report.css");
const SCRIPT: &str = concat!(
    include_str!("../../../../templates/report/diff.js"),
    include_str!("../../../../templates/report/report.js")
);

/// The report as a page.
///
/// # Errors
///
/// If the template does not fit the page, which the tests exclude, or a value of the report cannot be written as JSON.
pub(crate) fn render(report: &Report) -> Result<String> {
    let fail = |source| Error::run("failed to fill in the report's template").because(source);
    let environment = environment().map_err(fail)?;
    let page = serde_json::to_value(Page::of(report))
        .map_err(|source| Error::run("failed to write the report's page").because(source))?;
    let safe = |text: &str| Value::from_safe_string(text.to_owned());
    let values = context! {
        page => Serde(escape::texts(page)),
        policy => safe(&policy()),
        style => safe(STYLE),
        script => safe(SCRIPT),
        samples => safe(&samples::json(report)?),
    };
    environment.get_template("report.html").and_then(|template| template.render(values)).map_err(fail)
}

/// Names end in `.html`, so minijinja escapes every value in them.
fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("figures.html", FIGURES)?;
    environment.add_template("report.html", TEMPLATE)?;
    Ok(environment)
}

/// Nothing from anywhere; the one style and the one script by their digests.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        base64_digest(STYLE),
        base64_digest(SCRIPT)
    )
}

/// SHA-256 as the content security policy wants it: base64 with padding.
fn base64_digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::print_stderr)]
mod tests {
    use super::*;
    use crate::render::fixture;
    use diapason_core::frozen::{File, PluginUse, Role, Use};
    use diapason_core::gate::{Reason, Scored};

    /// The page without style, script and samples: what a snapshot can show.
    fn shell(html: &str) -> String {
        html.replace(STYLE, "…style…").replace(SCRIPT, "…script…")
    }

    #[test]
    fn the_page_says_the_verdict_first() {
        let mut report = fixture::report(20, 15);
        report.samples.clear();
        let html = render(&report).unwrap();
        let body = shell(&html);
        insta::assert_snapshot!(body.split_once("</head>").unwrap().1);
    }

    #[test]
    fn four_arms_are_a_page() {
        let mut report = fixture::four_arms(20, 15);
        report.samples.clear();
        let html = render(&report).unwrap();
        insta::assert_snapshot!(shell(&html).split_once("</head>").unwrap().1);
    }

    #[test]
    fn digests_are_those_of_the_policy_language() {
        // From the specification of Content Security Policy Level 3, section 6.7.2.
        assert_eq!(base64_digest("alert('Hello, world.');"), "qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
        let html = render(&fixture::report(4, 3)).unwrap();
        let script = html.rsplit_once("<script>").unwrap().1.split_once("</script>").unwrap().0;
        assert!(
            html.contains(&format!("script-src 'sha256-{}'", base64_digest(script))),
            "the script as it stands in the page"
        );
        let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert!(
            html.contains(&format!("style-src 'sha256-{}'", base64_digest(style))),
            "the style as it stands in the page"
        );
    }

    #[test]
    fn nothing_is_loaded_from_outside_and_nothing_is_styled_or_scripted_inline() {
        let html = render(&fixture::report(4, 3)).unwrap();
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
        let body = html.split_once("<body>").unwrap().1;
        assert!(!body.contains(" style="), "the policy forbids inline style");
        assert!(!body.contains(" onclick=") && !body.contains("javascript:"), "the policy forbids inline script");
    }

    #[test]
    fn hostile_names_and_samples_are_text() {
        let hostile = "<img src=x onerror=alert(1)></script><script>alert(2)</script>";
        let mut report = fixture::four_arms(4, 3);
        report.name = hostile.into();
        report.comparison.arms[3] = hostile.into();
        report.comparison.contrasts[2].candidate = hostile.into();
        report.comparison.suites[0].measures[0].differences[2].contrast.candidate = hostile.into();
        report.about.config.arms[0].name = hostile.into();
        report.about.config.arms[1].endpoint.as_mut().unwrap().model = hostile.into();
        report.worth.as_mut().unwrap().rivals[1].arm = hostile.into();
        report.comparison.suites[0].name = hostile.into();
        report.comparison.suites[0].measures[0].info.summary = hostile.into();
        report.gate.as_mut().unwrap().conditions[0].reason =
            Reason::Lost { of: Scored::Arm(hostile.into()), lost: 1, samples: 4, first: hostile.into() };
        let role = Role::Plugin(Use::Suite(hostile.into(), hostile.into()));
        report.about.files.insert(role.clone(), File::new(hostile));
        report.about.config.model.as_mut().unwrap().path = hostile.into();
        report.about.config.generate.stop = vec![hostile.into()];
        report.about.plugins[0] = PluginUse {
            role,
            id: hostile.into(),
            version: hostile.into(),
            settings: [(hostile.to_owned(), hostile.into())].into_iter().collect(),
            permissions: vec![hostile.into()],
        };
        report.samples[0].answers[3] = Some(hostile.into());
        let html = render(&report).unwrap();
        assert!(!html.contains("<img"), "an element was made of a name");
        assert_eq!(html.matches("<script").count(), 2, "the samples and the page's own script");
        assert_eq!(html.matches("</script").count(), 2);
    }

    /// The page's behaviour, where `DIAPASON_CHROMIUM` names a Chromium: filters, keyboard, differences, hostile text.
    #[test]
    fn in_a_browser() {
        let Ok(chromium) = std::env::var("DIAPASON_CHROMIUM") else {
            return eprintln!("skipped: DIAPASON_CHROMIUM names no browser");
        };
        for mut report in [fixture::report(200, 150), fixture::four_arms(200, 150), fixture::alone(500)] {
            report.samples[0].messages[1].content =
                "</script><script>document.title='XSS'</script><img src=x onerror=\"document.title='XSS'\">".into();
            let result = behaviour(&chromium, &report);
            assert!(result.contains("finished") && !result.contains("FAIL"), "{result}");
        }
    }

    /// What the test that runs in the page says.
    fn behaviour(chromium: &str, report: &Report) -> String {
        let test = include_str!("../../../../templates/report/report.test.js");
        // The policy admits no second script, as it should; the copy under test goes without.
        let html = render(report)
            .unwrap()
            .replace(&policy(), "")
            .replace("</body>", &format!("<script>{test}</script></body>"));
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("report.html");
        diapason_disk::files::write(&page, html.as_bytes()).unwrap();
        let output = std::process::Command::new(chromium)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync", "--disable-quic", "--window-size=500,900"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .args(["--virtual-time-budget=20000", "--dump-dom"])
            .arg(format!("file://{}", page.display()))
            .output()
            .unwrap();
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        dom.split_once("<pre id=\"result\">").map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_report_without_gate_training_and_samples_is_a_page_too() {
        let mut report = fixture::report(4, 3);
        report.gate = None;
        report.training = None;
        report.samples.clear();
        report.comparison.suites.clear();
        let html = render(&report).unwrap();
        assert!(html.contains("No rules, no verdict"));
    }

    #[test]
    fn ten_thousand_samples_fit() {
        let html = render(&fixture::report(6_000, 2_000)).unwrap();
        let (shell, data) = html.split_once("id=\"data\"").unwrap();
        assert!(shell.len() < 200_000, "the samples are data, not markup: {}", shell.len());
        assert_eq!(data.matches("\"answers\":").count(), 10_000);
    }
}
