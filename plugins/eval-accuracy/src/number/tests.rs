use super::*;

const POINT: Convention = Convention { decimal_sign: DecimalSign::Point };
const COMMA: Convention = Convention { decimal_sign: DecimalSign::Comma };

fn value(text: &str) -> Result<f64, String> {
    let read = read(text, POINT)?;
    read.map(|quantity| quantity.value).ok_or_else(|| "none".to_owned())
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-12 * other.abs()
}

#[test]
fn whole_quantities() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1 234,5", 1234.5),
        ("1\u{a0}234\u{202f}567", 1_234_567.0),
        ("1'234'567.5", 1_234_567.5),
        ("12,34,567", 1_234_567.0),
        ("1.234.567", 1_234_567.0),
        ("1_000", 1000.0),
        ("1,234", 1234.0),
        ("1.234", 1.234),
        ("3,25", 3.25),
        ("0,125", 0.125),
        ("12345,678", 12345.678),
        ("it is .5", 0.5),
        ("-3e4", -3e4),
        ("x = −5", -5.0),
        ("–5", -5.0),
        ("minus 5", -5.0),
        ("-$5", -5.0),
        ("$-5", -5.0),
        ("($1,234)", -1234.0),
        ("(5)", 5.0),
        ("+5", 5.0),
        ("1/2", 0.5),
        ("-7/4", -1.75),
        ("1 1/2", 1.5),
        ("-1 1/2 cups", -1.5),
        ("1½", 1.5),
        ("¾", 0.75),
        ("1 and 3/4", 1.75),
        ("\\boxed{\\frac{3}{2}}", 1.5),
        ("\\frac12", 0.5),
        ("\\dfrac 12", 0.5),
        ("1\\frac1{2}", 1.5),
        ("\\frac{1}2", 0.5),
        ("-\\frac34", -0.75),
        ("x = 10", 10.0),
        ("$-\\dfrac{7}{4}$", -1.75),
        ("2\\frac{1}{4}", 2.25),
        ("3 x 10^8", 3e8),
        ("1.2 × 10^-5", 1.2e-5),
        ("$1.2 \\times 10^{-5}$", 1.2e-5),
        ("1.2·10⁻⁵", 1.2e-5),
        ("3*10**8", 3e8),
        ("10^6", 1e6),
        ("2^10", 1024.0),
        ("2.5 million", 2.5e6),
        ("$3.2 billion", 3.2e9),
        ("5k", 5e3),
        ("$5M", 5e6),
        ("2 dozen", 24.0),
        ("5 lakh", 5e5),
        ("3 hundred thousand", 3e5),
        ("2 h 30 min", 2.5),
        ("1 hour and 15 minutes", 1.25),
        ("5'11\"", 5.0 + 11.0 / 12.0),
        ("6 ft 3 in", 6.25),
        ("3:45 pm", 15.0 * 60.0 + 45.0),
        ("12 a.m.", 0.0),
        ("07:05", 425.0),
        ("٣٫", 3.0),
        ("１２", 12.0),
        ("the 3rd", 3.0),
        ("about **42**!", 42.0),
        ("so 3 + 4 = 7.", 7.0),
        ("9 * 2 = 18\n#### 18", 18.0),
        ("She had 5, ate 2. She has 3 left.", 3.0),
        ("The answer is 18, as 9 * 2 = 18.", 18.0),
        ("Final answer: 42\nThis took 3 steps.", 42.0),
        ("H2O weighs 18 g", 18.0),
        ("- about 7 apples", 7.0),
    ] {
        let found = value(text);
        if !found.as_ref().is_ok_and(|found| near(*found, expected)) {
            wrong.push(format!("{text}: {found:?}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_not_one_quantity_is_refused() {
    let mut wrong = Vec::new();
    for (text, reason) in [
        ("10-12", "range"),
        ("10 – 12", "range"),
        ("3 to 5", "two quantities"),
        ("between 3 and 5", "two quantities"),
        ("3 or 4", "two quantities"),
        ("42 of 43", "two quantities"),
        ("1, 2, 3", "two quantities"),
        ("1,2,3", "not one number"),
        ("1.2.3", "not one number"),
        ("192.168.1.1", "not one number"),
        ("2024-01-05", "range"),
        ("12/25/2024", "date"),
        ("3 + 4i", "expression"),
        ("2 + 3", "expression"),
        ("2 × 3", "expression"),
        ("2x3", "product"),
        ("2x", "expression"),
        ("2π", "expression"),
        ("2 pi", "expression"),
        ("√2", "expression"),
        ("\\sqrt{2}", "expression"),
        ("5 ± 0.1", "expression"),
        ("> 5", "inequality"),
        ("less than 5", "inequality"),
        ("at least 5", "inequality"),
        ("Up to 5 apples", "inequality"),
        ("2x = 10", "not solved"),
        ("x = 5 or x = -5", "several equations"),
        ("x = 5, y = 6", "several equations"),
        ("2:1", "neither"),
        ("25:00", "neither"),
        ("13 pm", "hour"),
        ("1/0", "over 0"),
        ("5/3/2", "date"),
        ("- 5", "minus sign or a mark"),
        ("1e999", "too large"),
        ("0x1F", "product"),
        ("0b1f", "no number"),
        ("three", "in words"),
        ("The answer is not 8", "is not"),
        ("It isn't 8.", "is not"),
        ("It is not equal to 8", "is not"),
        ("1 h 30", "two quantities"),
        ("5 1/2/3", "expression"),
    ] {
        let found = read(text, POINT);
        if !found.as_ref().is_err_and(|cause| cause.contains(reason)) {
            wrong.push(format!("{text}: {found:?}, expected {reason}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for text in ["", "none", "I do not know.", "GPT-4"] {
        assert_eq!(read(text, POINT), Ok(None), "{text}");
    }
}

#[test]
fn the_convention_decides_only_what_can_be_read_both_ways() {
    let both = |text: &str| {
        let of = |convention| read(text, convention).ok().flatten().map(|quantity| quantity.value);
        (of(POINT), of(COMMA))
    };
    assert_eq!(both("1,234"), (Some(1234.0), Some(1.234)));
    assert_eq!(both("1.234"), (Some(1.234), Some(1234.0)));
    for text in ["1,234.5", "1.234,5", "1 234,5"] {
        assert_eq!(both(text), (Some(1234.5), Some(1234.5)), "{text}");
    }
    assert_eq!(both("3.25"), (Some(3.25), Some(3.25)));
}

fn agree(answer: &str, expected: &str, relative: f64, absolute: f64) -> Result<bool, String> {
    let of = |text| read(text, POINT).map(|read| read.expect("a number"));
    of(answer)?.agrees(&of(expected)?, Tolerance { relative: Some(relative), absolute }, Percent::AsWritten)
}

#[test]
fn units_are_converted() {
    for (answer, expected, same) in [
        ("5 km", "5000 m", true),
        ("90 minutes", "1.5 h", true),
        ("2 h 30 min", "150 minutes", true),
        ("50%", "50", true),
        ("50 %", "50 percent", true),
        ("5 km", "5 kg", false),
        ("€5", "$5", false),
        ("5 m", "5 km", false),
        ("$5", "5 dollars", true),
        ("50 cents", "$0.50", true),
        ("USD 5", "$5", true),
        ("36 km/h", "10 m/s", true),
        ("60 miles per hour", "60 mph", true),
        ("5 km/h", "5 km", false),
        ("5 kg/m^3", "5 kg/m³", true),
        ("20 °C", "20 °F", false),
        ("212 °F", "100 °C", true),
        ("0 °C", "273.15 K", true),
        ("98.6 °F", "37 °C", true),
        ("100 °C", "100 m", false),
        ("1 kWh", "3.6 MJ", true),
        ("2 kcal", "8.368 kJ", true),
        ("1.5 MW", "1500 kW", true),
        ("5 kWh", "5 MJ", false),
        ("5 kW", "5 kWh", false),
        ("20", "20 °C", true),
        ("5 apples", "5", true),
        ("3 pm", "15:00", true),
        ("$5M", "5 million dollars", true),
        ("5 M", "5 m", false),
        ("3 years", "36 months", true),
    ] {
        assert_eq!(agree(answer, expected, 1e-9, 0.0), Ok(same), "{answer} / {expected}");
    }
    assert!(agree("50%", "0.5", 0.0, 0.0).is_err_and(|cause| cause.contains("`share`")));
    assert!(agree("0.5", "50%", 0.0, 0.0).is_err());
    assert!(agree("1:30", "1.5 h", 0.0, 0.0).is_err_and(|cause| cause.contains("duration")));
    assert!(agree("3:45", "3.75", 0.0, 0.0).is_err());
}

#[test]
fn tolerances() {
    assert_eq!(agree("101", "100", 0.01, 0.0), Ok(true));
    assert_eq!(agree("101.1", "100", 0.01, 0.0), Ok(false));
    assert_eq!(agree("0.4", "0", 0.0, 0.5), Ok(true));
    assert_eq!(agree("-100", "100", 0.01, 0.0), Ok(false));
}

#[test]
fn without_a_tolerance_whole_numbers_are_equal_or_not() {
    let agree = |answer: &str, expected: &str| {
        let of = |text| read(text, POINT).map(|read| read.expect("a number"));
        of(answer)?.agrees(&of(expected)?, Tolerance { relative: None, absolute: 0.0 }, Percent::AsWritten)
    };
    assert_eq!(agree("1234568", "1234567"), Ok(false));
    assert_eq!(agree("1234567.0", "1234567"), Ok(true));
    assert_eq!(agree("0.3333333", "1/3"), Ok(true));
    assert_eq!(agree("0.333", "1/3"), Ok(false));
    for (one, other) in [
        ("1000000000001", "1000000000000"),
        ("12345678901234567891", "12345678901234567890"),
        ("12,345,678,901,234,567,891", "12345678901234567890"),
        ("9007199254740993 m", "9007199254740992 m"),
    ] {
        assert_eq!((agree(one, other), agree(one, one)), (Ok(false), Ok(true)), "{one}");
    }
    assert_eq!(agree("12,345,678,901,234,567,890", "12345678901234567890.0"), Ok(true));
    assert_eq!(agree("6.02 × 10^23", "602000000000000000000000"), Ok(true));
    assert_eq!(agree("10^23", "1e23"), Ok(true));
    assert_eq!(agree("3000 m", "3 km"), Ok(true));
}

/// Whatever a model writes, it is read or refused.
#[test]
fn any_text_is_read_or_refused() {
    const PIECES: [&str; 32] = [
        "1", "23", "456", "0", ".", ",", " ", "-", "−", "/", "×", "x", "^", "e", ":", "$", "€", "%", "(", ")",
        "\\frac{", "}", "{", "½", "⁵", "km", "pm", "'", "\"", "\u{202f}", "°", "million",
    ];
    let mut state = 7_u64;
    let mut read_once = 0;
    for _ in 0..50_000 {
        let mut text = String::new();
        for _ in 0..7 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(PIECES[(state >> 59) as usize]);
        }
        if let Ok(Some(quantity)) = read(&text, POINT) {
            assert!(quantity.value.is_finite(), "{text}");
            read_once += 1;
        }
    }
    assert!(read_once > 1_000, "{read_once}");
}
