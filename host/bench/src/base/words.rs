//! The vocabulary of the embedded base's little world.

pub(super) const NAMES: &[&str] = &[
    "Ada", "Alma", "Amir", "Anna", "Aya", "Ben", "Bo", "Clara", "Dana", "David", "Elif", "Emil", "Erik", "Eva",
    "Felix", "Finn", "Greta", "Hana", "Hugo", "Ida", "Ines", "Ivan", "Jana", "Jonas", "Kaito", "Karl", "Kim", "Lara",
    "Lea", "Leo", "Lin", "Luca", "Maja", "Marta", "Max", "Mei", "Mia", "Milo", "Nadia", "Nils", "Nina", "Noah", "Nora",
    "Olga", "Omar", "Otto", "Paul", "Petra", "Rosa", "Ruth", "Sami", "Sara", "Tariq", "Theo", "Tom", "Uma", "Vera",
    "Yara", "Yusuf", "Zoe",
];

pub(super) const ITEMS: &[&str] = &[
    "lamps", "chairs", "tables", "books", "pens", "cups", "plates", "bowls", "shirts", "hats", "coats", "boots",
    "gloves", "scarves", "bags", "boxes", "clocks", "mirrors", "rugs", "pillows", "blankets", "candles", "vases",
    "frames", "drums", "flutes", "guitars", "kites", "balls", "bikes", "ropes", "tents", "maps", "stamps", "coins",
    "rings", "masks", "brushes", "buckets", "ladders",
];

pub(super) const COLOURS: &[&str] =
    &["red", "blue", "green", "yellow", "black", "white", "brown", "grey", "pink", "purple", "orange", "silver"];

pub(super) const DAYS: &[&str] = &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Country and capital.
pub(super) const CAPITALS: &[(&str, &str)] = &[
    ("Austria", "Vienna"),
    ("Belgium", "Brussels"),
    ("Chile", "Santiago"),
    ("China", "Beijing"),
    ("Cuba", "Havana"),
    ("Denmark", "Copenhagen"),
    ("Egypt", "Cairo"),
    ("Finland", "Helsinki"),
    ("France", "Paris"),
    ("Germany", "Berlin"),
    ("Ghana", "Accra"),
    ("Greece", "Athens"),
    ("Hungary", "Budapest"),
    ("Iceland", "Reykjavik"),
    ("India", "Delhi"),
    ("Iran", "Tehran"),
    ("Ireland", "Dublin"),
    ("Italy", "Rome"),
    ("Japan", "Tokyo"),
    ("Kenya", "Nairobi"),
    ("Latvia", "Riga"),
    ("Morocco", "Rabat"),
    ("Nepal", "Kathmandu"),
    ("Norway", "Oslo"),
    ("Peru", "Lima"),
    ("Poland", "Warsaw"),
    ("Portugal", "Lisbon"),
    ("Qatar", "Doha"),
    ("Russia", "Moscow"),
    ("Senegal", "Dakar"),
    ("Serbia", "Belgrade"),
    ("Spain", "Madrid"),
    ("Sweden", "Stockholm"),
    ("Syria", "Damascus"),
    ("Thailand", "Bangkok"),
    ("Tunisia", "Tunis"),
    ("Turkey", "Ankara"),
    ("Ukraine", "Kyiv"),
    ("Uruguay", "Montevideo"),
    ("Vietnam", "Hanoi"),
];

/// A word and its opposite.
pub(super) const OPPOSITES: &[(&str, &str)] = &[
    ("hot", "cold"),
    ("big", "small"),
    ("fast", "slow"),
    ("old", "young"),
    ("high", "low"),
    ("rich", "poor"),
    ("full", "empty"),
    ("hard", "soft"),
    ("light", "dark"),
    ("loud", "quiet"),
    ("early", "late"),
    ("near", "far"),
    ("open", "closed"),
    ("wet", "dry"),
    ("thick", "thin"),
    ("strong", "weak"),
    ("clean", "dirty"),
    ("sweet", "bitter"),
    ("first", "last"),
    ("happy", "sad"),
    ("brave", "afraid"),
    ("sharp", "blunt"),
    ("deep", "shallow"),
    ("wide", "narrow"),
    ("true", "false"),
];

/// What an animal is, by its name.
pub(super) const KINDS: &[(&str, &str)] = &[
    ("eagle", "bird"),
    ("sparrow", "bird"),
    ("owl", "bird"),
    ("robin", "bird"),
    ("heron", "bird"),
    ("salmon", "fish"),
    ("trout", "fish"),
    ("shark", "fish"),
    ("carp", "fish"),
    ("tuna", "fish"),
    ("ant", "insect"),
    ("bee", "insect"),
    ("wasp", "insect"),
    ("moth", "insect"),
    ("beetle", "insect"),
    ("lion", "mammal"),
    ("horse", "mammal"),
    ("whale", "mammal"),
    ("rabbit", "mammal"),
    ("bear", "mammal"),
    ("cobra", "reptile"),
    ("lizard", "reptile"),
    ("turtle", "reptile"),
    ("gecko", "reptile"),
    ("viper", "reptile"),
];
