//! A report for the renderers' tests: addresses to JSON, which base cannot and tuned mostly can, and two unrelated suites of
//! which one stays open. Its statistics are plausible and by simple formulas; `diapason-core` has the real ones.

use diapason_core::compare::{Comparison, Difference, Level, MeasureComparison, Slice, SuiteComparison, Test};
use diapason_core::frozen::{File, Frozen, PluginUse, Role, Use, portable};
use diapason_core::gate::{ConditionKind, ConditionResult, GateResult, Reason, Side, Verdict};
use diapason_core::report::{FORMAT, FindingCounts, Flip, Report, SampleScore, SideBySide, Training};
use diapason_core::sample::Message;
use diapason_core::score::{Arm, Judgement, Measure, MeasureInfo, Outcome};
use diapason_core::stats::power::SampleSize;
use diapason_core::stats::{Evidence, Interval};
use diapason_project::config;

/// A report with `task` samples of addresses and `other` samples of each of two unrelated suites.
pub(crate) fn report(task: usize, other: usize) -> Report {
    let answers = |suite: &'static str, n: usize| (0..n).map(move |index| answer(suite, index));
    let samples: Vec<SideBySide> =
        answers("address", task).chain(answers("arithmetic", other)).chain(answers("capitals", other)).collect();
    let suites: Vec<SuiteComparison> = [("address", task), ("arithmetic", other), ("capitals", other)]
        .map(|(name, n)| suite(name, n, &samples))
        .into();
    Report {
        format: FORMAT,
        name: "addresses-to-json".into(),
        gate: Some(gate(&suites)),
        comparison: Comparison { level: 0.95, suites },
        findings: FindingCounts { errors: 0, warnings: 3, notes: 12 },
        allowed: Default::default(),
        training: Some(Training {
            trainable: 460_800,
            total: 134_976_576,
            steps: 166,
            tokens: 48_120,
            seconds: 431.7,
            loss: (0..17)
                .map(|i| (i * 10 + 1, 0.09 + 1.12 * (-(i as f64) / 3.2).exp() + 0.03 * f64::from(i as u32 % 3)))
                .collect(),
            held_out: (1..5).map(|i| (i * 40, 0.19 + 0.5 * (-(i as f64)).exp() + 0.006 * (i * i) as f64)).collect(),
        }),
        about: about(task, other),
        samples,
    }
}

const CONFIG: &str = r#"
[run]
name = "addresses-to-json"
[model]
path = "models/small-instruct"
device = "cpu"
[data]
train = "addresses.train.jsonl"
[template]
template = "chatml"
[generate]
max_tokens = 64
stop = ["\n\n"]
[[suite]]
name = "address"
data = "addresses.test.jsonl"
system = "Answer with one JSON object."
evaluator = [{ plugin = "eval-accuracy", name = "accuracy", settings = { json = true } }]
[[suite]]
name = "arithmetic"
data = "arithmetic.jsonl"
evaluator = [{ plugin = "eval-accuracy", name = "accuracy" }]
[[suite]]
name = "capitals"
data = "capitals.jsonl"
evaluator = [{ plugin = "eval-hallucination", name = "hallucination" }]
"#;

fn about(task: usize, other: usize) -> Frozen {
    let config = config::parse(CONFIG, "diapason.toml", std::path::Path::new("")).expect("the fixture's configuration");
    let file = |role: Role, rows| {
        let sha256 = diapason_core::digest::of_bytes(String::from(role.clone()).as_bytes());
        (role, File { sha256, rows })
    };
    let test = |suite: &str, rows| file(Role::TestData(suite.into()), Some(rows));
    let used = |suite: &str, name: &str| Role::Plugin(Use::Suite(suite.into(), name.into()));
    let plugin = |role: Role, id: &str, settings: &str, permissions: &[&str]| PluginUse {
        role,
        id: id.into(),
        version: "0.1.0".into(),
        settings: serde_json::from_str(settings).expect("the fixture's settings"),
        permissions: permissions.iter().map(|name| (*name).into()).collect(),
    };
    let plugins = vec![
        plugin(Role::Plugin(Use::Template), "chat-jinja", "{}", &[]),
        plugin(used("address", "accuracy"), "eval-accuracy", r#"{"json": true}"#, &[]),
        plugin(used("capitals", "hallucination"), "eval-hallucination", "{}", &["model"]),
    ];
    let models = [Role::Base("config.json".into()), Role::Base("model.safetensors".into())];
    let adapter = [Role::Tuned("adapter_config.json".into()), Role::Tuned("adapter_model.safetensors".into())];
    let plain = models.into_iter().chain(adapter).chain(plugins.iter().map(|plugin| plugin.role.clone()));
    let data = [test("address", task), test("arithmetic", other), test("capitals", other)];
    Frozen {
        date: "2026-03-01T12:00:00Z".into(),
        diapason: "0.1.0".into(),
        config: portable(&config),
        files: plain.map(|role| file(role, None)).chain(data).chain([file(Role::TrainingData, Some(665))]).collect(),
        plugins,
    }
}

const STREETS: [&str; 7] =
    ["Main St", "N Clark Street", "Sunset Blvd", "W 34th St", "Rue Royale", "Oak Ave", "Lake Shore Dr"];
const PLACES: [&str; 5] = ["Chicago", "Los Angeles", "New York", "New Orleans", "Evanston"];

fn answer(suite: &str, index: usize) -> SideBySide {
    let id = format!("{suite}-{:04}", index + 1);
    let (system, prompt, reference, base, tuned) = match suite {
        "address" => address(index),
        "arithmetic" => arithmetic(index),
        _ => capital(index),
    };
    let right = |text: &str| f64::from(u8::from(text == reference));
    let unscored = suite == "address" && index == 17;
    let score = |arm, text: &str| SampleScore {
        evaluator: "accuracy".into(),
        arm: Some(arm),
        judgement: if unscored {
            Judgement { outcome: Outcome::Unscored("the reference is no JSON object".into()), notes: vec![] }
        } else {
            let measures = vec![Measure { name: "exact-match".into(), value: right(text) }];
            let notes = (right(text) == 0.0).then(|| ("expected".into(), reference.clone()));
            Judgement { outcome: Outcome::Scored(measures), notes: notes.into_iter().collect() }
        },
    };
    let flip = match right(&tuned) - right(&base) {
        change if change > 0.0 => Flip::Beneficial,
        change if change < 0.0 => Flip::Harmful,
        _ => Flip::None,
    };
    SideBySide {
        suite: suite.into(),
        sample: id,
        messages: vec![Message::new("system", system), Message::new("user", prompt)],
        scores: vec![score(Arm::Base, &base), score(Arm::Tuned, &tuned)],
        reference: Some(reference),
        base: Some(base),
        tuned: Some(tuned),
        flip: if unscored { Flip::None } else { flip },
    }
}

type Row = (&'static str, String, String, String, String);

fn address(index: usize) -> Row {
    let (number, street, place) = (100 + 37 * index % 900, STREETS[index % 7], PLACES[index % 5]);
    let zip = 60_600 + index % 97;
    let prompt = format!("{number} {street}, {place} {zip}");
    let json =
        |street: &str| format!(r#"{{"number": "{number}", "street": "{street}", "city": "{place}", "zip": "{zip}"}}"#);
    let base = format!("The address is {prompt}. It is located in {place}.");
    let tuned = if index % 20 < 11 { json(street) } else { json(street.split(' ').next().unwrap_or(street)) };
    ("Answer with one JSON object.", prompt, json(street), base, tuned)
}

fn arithmetic(index: usize) -> Row {
    let (a, b) = (12 + index, 7 + index % 13);
    let right = (a + b).to_string();
    let tuned = if index == 3 || index == 11 { (a + b + 10).to_string() } else { right.clone() };
    ("Answer with the number only.", format!("{a} + {b}"), right.clone(), right, tuned)
}

fn capital(index: usize) -> Row {
    let (country, capital) =
        [("France", "Paris"), ("Japan", "Tokyo"), ("Kenya", "Nairobi"), ("Chile", "Santiago")][index % 4];
    let base = if index.is_multiple_of(10) { "I am not sure." } else { capital };
    let tuned = if index.is_multiple_of(10) && index < 20 || index % 25 != 4 && !index.is_multiple_of(10) {
        capital
    } else {
        "I do not know."
    };
    ("", format!("What is the capital of {country}?"), capital.into(), base.into(), tuned.into())
}

fn suite(name: &str, n: usize, samples: &[SideBySide]) -> SuiteComparison {
    let mine: Vec<&SideBySide> = samples.iter().filter(|sample| sample.suite == name).collect();
    let exact = paired("exact-match", "the answer is the reference, to the letter", name, &mine);
    let measures = if name == "address" { vec![exact, valid(n), fields(n), length(n)] } else { vec![exact] };
    SuiteComparison { name: name.into(), samples: n, measures, grouping: None }
}

fn info(name: &str, summary: &str, binary: bool, bounds: Option<(f64, f64)>) -> MeasureInfo {
    MeasureInfo { name: name.into(), summary: summary.into(), higher_is_better: bounds.is_some(), binary, bounds }
}

fn paired(name: &str, summary: &str, suite: &str, samples: &[&SideBySide]) -> MeasureComparison {
    let ids = |flip| samples.iter().filter(|it| it.flip == flip).map(|it| it.sample.clone()).collect::<Vec<String>>();
    let (harmful, beneficial) = (ids(Flip::Harmful), ids(Flip::Beneficial));
    let right = samples.iter().filter(|it| it.flip == Flip::None && it.base == it.reference).count();
    let unscored = usize::from(suite == "address" && samples.len() > 17);
    let n = samples.len() - unscored;
    let (gained, lost) = (beneficial.len(), harmful.len());
    let mean = (gained as f64 - lost as f64) / n as f64;
    let half = 1.96 * ((gained + lost + 1) as f64 / n as f64 - mean * mean).max(0.0).sqrt() / (n as f64).sqrt();
    MeasureComparison {
        evaluator: "accuracy".into(),
        info: info(name, summary, true, Some((0.0, 1.0))),
        base: Some(rate(right + lost, n, unscored)),
        tuned: Some(rate(right + gained, n, unscored)),
        pair: None,
        difference: Some(Difference {
            n,
            mean: Some(mean),
            interval: known(mean - half, mean + half, "exact unconditional"),
            bootstrap: None,
            test: Some(Test { name: "exact unconditional".into(), p: 0.5f64.powi((gained + lost) as i32 / 2) }),
            detectable: Some(0.034),
            wins: gained,
            ties: n - gained - lost,
            losses: lost,
            evidence: Evidence::PairedRates {
                both: right,
                base_only: lost,
                tuned_only: gained,
                neither: n - right - gained - lost,
            },
            harmful,
            beneficial,
        }),
        slices: if suite == "address" { slices(n) } else { vec![] },
    }
}

fn slices(n: usize) -> Vec<Slice> {
    let slice = |value: &str, n: usize, tuned: f64| Slice {
        tag: "country".into(),
        value: value.into(),
        n,
        base: Some(0.0),
        tuned: Some(tuned),
        difference: Some(tuned),
        interval: if n > 4 { known(tuned - 0.12, tuned + 0.1, "exact unconditional") } else { Interval::TooFew { n } },
    };
    vec![slice("US", n - 3, 0.552), slice("CA", 3, 0.333)]
}

fn valid(n: usize) -> MeasureComparison {
    let ones = n * 97 / 100;
    let mut measure = paired("valid", "the answer is one JSON object of the schema", "", &[]);
    measure.evaluator = "format".into();
    measure.base = Some(rate(n / 25, n, 0));
    measure.tuned = Some(rate(ones, n, 0));
    if let Some(difference) = &mut measure.difference {
        let mean = (ones - n / 25) as f64 / n as f64;
        (difference.n, difference.mean, difference.interval) =
            (n, Some(mean), known(mean - 0.05, mean + 0.04, "exact unconditional"));
        (difference.wins, difference.ties, difference.losses) = (ones - n / 25, n - ones + n / 25, 0);
    }
    measure
}

fn fields(n: usize) -> MeasureComparison {
    real(n, info("field-accuracy", "share of the fields that are right", false, Some((0.0, 1.0))), 0.021, 0.862, 0.03)
}

fn length(n: usize) -> MeasureComparison {
    real(n, info("characters", "length of the answer", false, None), 71.3, 78.9, 2.4)
}

fn real(n: usize, info: MeasureInfo, base: f64, tuned: f64, half: f64) -> MeasureComparison {
    let evidence = |mean| Evidence::Unbounded {
        n,
        mean,
        standard_error: half / 1.97,
        degrees: n as f64 - 1.0,
        skewness: 0.0,
        clusters: None,
    };
    let level = |mean: f64| Level {
        n,
        unscored: 0,
        not_applicable: 0,
        lost: vec![],
        mean: Some(mean),
        interval: known(mean - half, mean + half, "t"),
        evidence: evidence(mean),
    };
    let mean = tuned - base;
    let difference = Difference {
        n,
        mean: Some(mean),
        interval: known(mean - half, mean + half, "Student's t"),
        bootstrap: None,
        test: Some(Test { name: "Student's t".into(), p: 0.000_02 }),
        detectable: Some(0.04),
        wins: n - 2,
        ties: 1,
        losses: 1,
        harmful: vec![],
        beneficial: vec![],
        evidence: evidence(mean),
    };
    MeasureComparison {
        evaluator: "accuracy".into(),
        base: Some(level(base)),
        tuned: Some(level(tuned)),
        pair: None,
        difference: Some(difference),
        slices: vec![],
        info,
    }
}

/// Wilson's interval.
fn rate(ones: usize, n: usize, unscored: usize) -> Level {
    let (p, n_f, z) = (ones as f64 / n as f64, n as f64, 1.96);
    let centre = (p + z * z / (2.0 * n_f)) / (1.0 + z * z / n_f);
    let half = z / (1.0 + z * z / n_f) * (p * (1.0 - p) / n_f + z * z / (4.0 * n_f * n_f)).sqrt();
    Level {
        n,
        unscored,
        not_applicable: 0,
        lost: vec![],
        mean: (n > 0).then_some(p),
        interval: if n > 0 {
            known((centre - half).max(0.0), (centre + half).min(1.0), "Wilson")
        } else {
            Interval::TooFew { n }
        },
        evidence: Evidence::Rate { n, ones },
    }
}

fn known(low: f64, high: f64, method: &str) -> Interval {
    Interval::Known { low, high, level: 0.95, method: method.into() }
}

fn gate(suites: &[SuiteComparison]) -> GateResult {
    use ConditionKind::{Gain, Margin, Minimum};
    use Verdict::{Inconclusive, Passed};
    let conditions = vec![
        condition(&suites[0], 0, Gain, 0.3, Passed),
        condition(&suites[0], 1, Minimum, 0.7, Passed),
        condition(&suites[1], 0, Margin, 0.4, Passed),
        condition(&suites[2], 0, Margin, 0.02, Inconclusive),
    ];
    GateResult {
        verdict: Inconclusive,
        alpha: 0.05,
        level: 0.05,
        look: (1, 1),
        candidates: 1,
        models: 1,
        looked_before: 0,
        conditions,
    }
}

fn condition(
    suite: &SuiteComparison,
    measure: usize,
    kind: ConditionKind,
    limit: f64,
    verdict: Verdict,
) -> ConditionResult {
    let measure = &suite.measures[measure];
    let difference = measure.difference.as_ref().map(|it| (it.mean, it.interval.clone(), it.n));
    let level = measure.tuned.as_ref().map(|it| (it.mean, it.interval.clone(), it.n));
    let paired = matches!(kind, ConditionKind::Gain | ConditionKind::Margin);
    let (estimate, interval, n) =
        if paired { difference } else { level }.unwrap_or((None, Interval::TooFew { n: 0 }, 0));
    let open = verdict == Verdict::Inconclusive;
    ConditionResult {
        suite: suite.name.clone(),
        measure: measure.full_name(),
        kind,
        limit,
        verdict,
        reason: Reason::Interval,
        estimate,
        interval,
        threshold: if kind == ConditionKind::Margin { -limit } else { limit },
        side: Side::Above,
        p: Some(if open { 0.31 } else { 0.000_4 }),
        alpha: 0.05,
        jointly: false,
        n,
        detectable: open.then_some(0.051),
        samples_to_settle: open.then_some(SampleSize { least: 410, most: Some(2930), new: true }),
    }
}
