//! Units, their names and sizes.

use std::fmt;

/// A unit that the table knows, or a compound one by its spelling.
#[derive(Debug, Clone, PartialEq)]
pub enum Unit {
    /// One of the table's.
    Known(&'static Entry),
    /// `kg/m^3`: agrees with nothing but itself.
    Compound(String),
}

/// Dimension, names and the size in the dimension's own unit.
#[derive(Debug, PartialEq)]
pub struct Entry {
    dimension: &'static str,
    names: &'static [&'static str],
    size: f64,
}

const fn entry(dimension: &'static str, names: &'static [&'static str], size: f64) -> Entry {
    Entry { dimension, names, size }
}

const CLOCK: &str = "time of day";
const SHARE: &str = "share";
const TIME: &str = "time";

/// A name of one letter stands as it is; longer ones in any case.
static UNITS: [Entry; 51] = [
    entry("length", &["mm", "millimeter", "millimeters", "millimetre", "millimetres"], 1e-3),
    entry("length", &["cm", "centimeter", "centimeters", "centimetre", "centimetres"], 1e-2),
    entry("length", &["m", "meter", "meters", "metre", "metres"], 1.0),
    entry("length", &["km", "kilometer", "kilometers", "kilometre", "kilometres"], 1e3),
    entry("length", &["in", "inch", "inches", "″"], 0.0254),
    entry("length", &["ft", "foot", "feet", "′"], 0.3048),
    entry("length", &["yd", "yard", "yards"], 0.9144),
    entry("length", &["mi", "mile", "miles"], 1609.344),
    entry("mass", &["mg", "milligram", "milligrams"], 1e-6),
    entry("mass", &["g", "gram", "grams"], 1e-3),
    entry("mass", &["kg", "kilogram", "kilograms"], 1.0),
    entry("mass", &["t", "tonne", "tonnes"], 1e3),
    entry("mass", &["oz", "ounce", "ounces"], 0.028_349_523_125),
    entry("mass", &["lb", "lbs", "pound", "pounds"], 0.453_592_37),
    entry(TIME, &["ms", "millisecond", "milliseconds"], 1e-3),
    entry(TIME, &["s", "sec", "secs", "second", "seconds"], 1.0),
    entry(TIME, &["min", "mins", "minute", "minutes"], 60.0),
    entry(TIME, &["h", "hr", "hrs", "hour", "hours"], 3600.0),
    entry(TIME, &["day", "days"], 86400.0),
    entry(TIME, &["week", "weeks"], 604_800.0),
    entry("years", &["month", "months"], 1.0),
    entry("years", &["year", "years", "yr", "yrs"], 12.0),
    entry("volume", &["ml", "milliliter", "milliliters", "millilitre", "millilitres"], 1e-3),
    entry("volume", &["cl", "centiliter", "centiliters", "centilitre", "centilitres"], 1e-2),
    entry("volume", &["l", "L", "liter", "liters", "litre", "litres"], 1.0),
    entry("speed", &["m/s"], 1.0),
    entry("speed", &["km/h", "kmh", "kph"], 1.0 / 3.6),
    entry("speed", &["mph", "mi/h"], 0.447_04),
    entry("energy", &["J", "joule", "joules"], 1.0),
    entry("energy", &["kJ", "kilojoule", "kilojoules"], 1e3),
    entry("energy", &["MJ", "megajoule", "megajoules"], 1e6),
    entry("energy", &["Wh"], 3600.0),
    entry("energy", &["kWh", "kwh"], 3.6e6),
    entry("energy", &["cal", "calorie", "calories"], 4.184),
    entry("energy", &["kcal", "kilocalorie", "kilocalories"], 4184.0),
    entry("power", &["W", "watt", "watts"], 1.0),
    entry("power", &["kW", "kilowatt", "kilowatts"], 1e3),
    entry("power", &["MW", "megawatt", "megawatts"], 1e6),
    // The size of a degree; where they begin differs, see `Unit::degrees`.
    entry("kelvin", &["K", "kelvin", "kelvins"], 1.0),
    entry("celsius", &["°C", "celsius"], 1.0),
    entry("fahrenheit", &["°F", "fahrenheit"], 1.0),
    entry("angle", &["°", "deg", "degree", "degrees"], std::f64::consts::PI / 180.0),
    entry("angle", &["rad", "radian", "radians"], 1.0),
    entry(SHARE, &["%", "percent", "pct"], 1e-2),
    entry("dollar", &["$", "usd", "dollar", "dollars"], 1.0),
    entry("dollar", &["¢", "cent", "cents"], 0.01),
    entry("euro", &["€", "eur", "euro", "euros"], 1.0),
    entry("sterling", &["£", "gbp"], 1.0),
    entry("yen", &["¥", "jpy", "yen"], 1.0),
    entry("rupee", &["₹", "inr", "rupee", "rupees"], 1.0),
    entry(CLOCK, &[":"], 1.0),
];

/// Words that scale the number before them.
const SCALES: [(&[&str], f64); 8] = [
    (&["dozen"], 12.0),
    (&["hundred"], 1e2),
    (&["thousand", "k"], 1e3),
    (&["lakh", "lakhs"], 1e5),
    (&["million", "millions", "mn", "mio"], 1e6),
    (&["crore", "crores"], 1e7),
    (&["billion", "billions", "bn"], 1e9),
    (&["trillion", "trillions", "tn"], 1e12),
];

/// The unit of this name.
pub fn named(name: &str) -> Option<Unit> {
    let lower = name.to_lowercase();
    let single = name.chars().count() <= 2;
    let fits = |known: &&'static str| {
        if single && known.chars().count() == name.chars().count() {
            same_short(known, name)
        } else {
            *known == lower || *known == name
        }
    };
    UNITS.iter().find(|entry| entry.names.iter().any(fits)).map(Unit::Known)
}

/// Short names keep the case of their letters where it matters: `m` is no `M`, but `KG` is `kg`.
fn same_short(known: &str, name: &str) -> bool {
    known == name || (name.len() == 2 && known == name.to_lowercase())
}

/// How much a word scales the number before it; `attached` where there is no space between them (`5k`, `3M`).
pub fn scale(word: &str, attached: bool) -> Option<f64> {
    if attached && let Some(scale) = [("K", 1e3), ("M", 1e6), ("B", 1e9)].iter().find(|(name, _)| *name == word) {
        return Some(scale.1);
    }
    let lower = word.to_lowercase();
    let known = |names: &&[&str]| names.contains(&lower.as_str()) && (lower != "k" || word == "k");
    SCALES.iter().find(|(names, _)| known(names)).map(|(_, scale)| *scale)
}

/// A unit by its spelling.
pub fn compound(spelling: &str) -> Unit {
    named(spelling).unwrap_or_else(|| Unit::Compound(spelling.to_owned()))
}

/// Minutes since midnight.
pub fn clock() -> Option<Unit> {
    named(":")
}

impl Unit {
    /// How many of `other` one of this is; `None` where the dimensions differ.
    pub fn in_terms_of(&self, other: &Self) -> Option<f64> {
        match (self, other) {
            (Self::Known(one), Self::Known(two)) if one.dimension == two.dimension => Some(one.size / two.size),
            (Self::Compound(one), Self::Compound(two)) if one == two => Some(1.0),
            _ => None,
        }
    }

    /// Whether a smaller unit may follow, as in `2 h 30 min`.
    pub fn adds_up_with(&self, smaller: &Self) -> bool {
        let parts = ["length", "mass", TIME, "years", "dollar"];
        let additive = matches!(self, Self::Known(entry) if parts.contains(&entry.dimension));
        additive && smaller.in_terms_of(self).is_some_and(|size| size < 1.0)
    }

    /// A temperature of this unit in degrees of another; `None` where one of them is no temperature.
    pub fn degrees(&self, value: f64, other: &Self) -> Option<f64> {
        let (Self::Known(given), Self::Known(wanted)) = (self, other) else { return None };
        let celsius = match given.dimension {
            "celsius" => value,
            "fahrenheit" => (value - 32.0) / 1.8,
            "kelvin" => value - 273.15,
            _ => return None,
        };
        match wanted.dimension {
            "celsius" => Some(celsius),
            "fahrenheit" => Some(celsius * 1.8 + 32.0),
            "kelvin" => Some(celsius + 273.15),
            _ => None,
        }
    }

    /// Whether it is `%`.
    pub fn is_percent(&self) -> bool {
        matches!(self, Self::Known(entry) if entry.dimension == SHARE)
    }

    /// Whether it is a time of day.
    pub fn is_clock(&self) -> bool {
        matches!(self, Self::Known(entry) if entry.dimension == CLOCK)
    }

    /// Whether it is a sum of money.
    pub fn is_money(&self) -> bool {
        matches!(self, Self::Known(entry) if ["dollar", "euro", "sterling", "yen", "rupee"].contains(&entry.dimension))
    }

    /// Whether one is a time of day and the other a duration, which one text may mean by the same digits.
    pub fn clashes(&self, other: &Self) -> bool {
        let is_time = |unit: &Self| matches!(unit, Self::Known(entry) if entry.dimension == TIME);
        (self.is_clock() && is_time(other)) || (is_time(self) && other.is_clock())
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(entry) if entry.dimension == CLOCK => formatter.write_str("minutes after midnight"),
            Self::Known(entry) => formatter.write_str(entry.names[0]),
            Self::Compound(spelling) => formatter.write_str(spelling),
        }
    }
}
