//! The designs that are simulated. Each cell draws samples whose true value is known.

use super::draw::{self, Random, beta, log_normal, normal, power_law_sizes};
use diapason_core::stats::Evidence;
use rand::RngExt;

/// One design.
pub(super) struct Cell {
    /// Heading under which it stands.
    pub(super) group: &'static str,
    pub(super) name: String,
    /// The true value of what the evidence is about.
    pub(super) truth: f64,
    pub(super) draw: Box<dyn Fn(&mut Random) -> Evidence + Sync + Send>,
}

fn cell(
    group: &'static str,
    name: String,
    truth: f64,
    draw: impl Fn(&mut Random) -> Evidence + Sync + Send + 'static,
) -> Cell {
    Cell { group, name, truth, draw: Box::new(draw) }
}

/// All of them, in the order of the table.
pub(super) fn all() -> Vec<Cell> {
    [rates(), paired_rates(), bounded(), equal_clusters(), unequal_clusters(), unbounded()]
        .into_iter()
        .flatten()
        .collect()
}

fn rates() -> Vec<Cell> {
    let designs = [(20, 0.5), (20, 0.9), (50, 0.95), (200, 0.5), (200, 0.99), (1000, 0.9)];
    let of = |(n, rate): (usize, f64)| {
        cell("Single rates", format!("n = {n}, rate {rate}"), rate, move |random| Evidence::Rate {
            n,
            ones: (0..n).filter(|_| random.random_bool(rate)).count(),
        })
    };
    designs.into_iter().map(of).collect()
}

fn paired_rates() -> Vec<Cell> {
    let designs = [
        (20, 0.05, 0.05),
        (20, 0.1, 0.0),
        (20, 0.2, 0.2),
        (50, 0.05, 0.0),
        (50, 0.1, 0.1),
        (50, 0.02, 0.3),
        (100, 0.3, 0.0),
        (200, 0.02, 0.0),
        (200, 0.15, 0.0),
        (200, 0.25, 0.0),
        (200, 0.15, 0.1),
        (1000, 0.03, 0.0),
        (1000, 0.05, 0.03),
        (1000, 0.1, 0.0),
        (5000, 0.01, 0.0),
        (5000, 0.02, 0.02),
        (5001, 0.01, 0.0),
        (20000, 0.02, 0.01),
    ];
    let of = |(n, harm, gain): (usize, f64, f64)| {
        cell(
            "Paired rates",
            format!("n = {n}, {} % worse, {} % better", 100.0 * harm, 100.0 * gain),
            gain - harm,
            move |random| draw::flips(random, n, harm, gain),
        )
    };
    designs.into_iter().map(of).collect()
}

/// Values between known limits, none of which share a source.
fn bounded() -> Vec<Cell> {
    const GROUP: &str = "Bounded values";
    let mut cells = Vec::new();
    for n in [20, 50, 200, 1000] {
        cells.push(cell(GROUP, format!("n = {n}, symmetric differences"), 0.0, move |random| {
            differences((0..n).map(|_| beta(random, 3.0, 2.0) - beta(random, 3.0, 2.0)).collect())
        }));
        cells.push(cell(GROUP, format!("n = {n}, 3 % large losses, no ties"), -0.03 * 0.95, move |random| {
            let one = |random: &mut Random| {
                let noise = 0.01 * (random.random::<f64>() - 0.5);
                if random.random_bool(0.03) { -0.95 + noise } else { noise }
            };
            differences((0..n).map(|_| one(random)).collect())
        }));
        cells.push(cell(GROUP, format!("n = {n}, 90 % ties, the rest losses"), -0.1 * 0.5, move |random| {
            let one = |random: &mut Random| if random.random_bool(0.1) { -random.random::<f64>() } else { 0.0 };
            differences((0..n).map(|_| one(random)).collect())
        }));
        cells.push(cell(GROUP, format!("n = {n}, levels near the ceiling, Beta(8, 0.5)"), 8.0 / 8.5, move |random| {
            let values: Vec<f64> = (0..n).map(|_| beta(random, 8.0, 0.5)).collect();
            Evidence::of_levels(&values, None, Some((0.0, 1.0)))
        }));
    }
    cells
}

fn differences(values: Vec<f64>) -> Evidence {
    Evidence::of_differences(&values, None, Some((0.0, 1.0)))
}

fn clustered(clusters: &[Vec<f64>], bounds: Option<(f64, f64)>) -> Evidence {
    Evidence::of_levels(&clusters.concat(), Some(clusters), bounds)
}

fn equal_clusters() -> Vec<Cell> {
    const GROUP: &str = "Clusters of equal size";
    let mut cells = Vec::new();
    for groups in [5, 10, 20, 50, 200] {
        cells.push(cell(GROUP, format!("{groups} × 8, normal, without bounds"), 0.0, move |random| {
            clustered(&draw::clusters(random, &vec![8; groups], normal, |random, shared| shared + normal(random)), None)
        }));
        cells.push(cell(GROUP, format!("{groups} × 8, right or wrong, 90 %, correlation 0.3"), 0.9, move |random| {
            clustered(&draw::binary(random, &vec![8; groups], 0.9, 0.3), Some((0.0, 1.0)))
        }));
    }
    for groups in [50, 200] {
        cells.push(cell(GROUP, format!("{groups} × 8, right or wrong, 97 %, correlation 0.6"), 0.97, move |random| {
            clustered(&draw::binary(random, &vec![8; groups], 0.97, 0.6), Some((0.0, 1.0)))
        }));
        cells.push(cell(GROUP, format!("{groups} × 10, nearly all clusters agree, 4 % lost"), -0.04, move |random| {
            let lost = |random: &mut Random| if random.random_bool(0.04) { -1.0 } else { 0.0 };
            clustered(&draw::clusters(random, &vec![10; groups], lost, |_, shared| shared), Some((-1.0, 1.0)))
        }));
    }
    cells.push(cell(GROUP, "60 prompts × 5 samples, correlation 0.3".into(), 0.7, |random| {
        clustered(&draw::binary(random, &[5; 60], 0.7, 0.3), Some((0.0, 1.0)))
    }));
    cells
}

fn unequal_clusters() -> Vec<Cell> {
    const GROUP: &str = "Clusters of unequal size";
    let mut cells = Vec::new();
    for groups in [5, 10, 20, 50, 200] {
        let mut sizes = vec![4; groups];
        sizes[0] = 4 * (groups - 1);
        let (half, of_values) = (sizes.clone(), sizes.clone());
        cells.push(cell(GROUP, format!("{groups}, one holds half, normal, without bounds"), 0.0, move |random| {
            clustered(&draw::clusters(random, &of_values, normal, |random, shared| shared + normal(random)), None)
        }));
        cells.push(cell(
            GROUP,
            format!("{groups}, one holds half, right or wrong, 80 %, correlation 0.3"),
            0.8,
            move |random| clustered(&draw::binary(random, &half, 0.8, 0.3), Some((0.0, 1.0))),
        ));
        cells.push(cell(GROUP, format!("{groups}, one holds half, lost as a whole in 10 %"), -0.1, move |random| {
            let lost = |random: &mut Random| if random.random_bool(0.1) { -1.0 } else { 0.0 };
            clustered(&draw::clusters(random, &sizes, lost, |_, shared| shared), Some((-1.0, 1.0)))
        }));
        let sizes = power_law_sizes(groups);
        let (values, heavy) = (sizes.clone(), sizes.clone());
        cells.push(cell(GROUP, format!("{groups}, sizes 1 to 60, normal, without bounds"), 0.0, move |random| {
            clustered(&draw::clusters(random, &values, normal, |random, shared| shared + normal(random)), None)
        }));
        cells.push(cell(
            GROUP,
            format!("{groups}, sizes 1 to 60, right or wrong, 90 %, correlation 0.3"),
            0.9,
            move |random| clustered(&draw::binary(random, &sizes, 0.9, 0.3), Some((0.0, 1.0))),
        ));
        // One cluster of a fifth, the others equal; and the larger a cluster, the more it varies.
        let mut fifth = vec![4; groups];
        fifth[0] = groups;
        cells.push(cell(GROUP, format!("{groups}, one holds a fifth and varies most"), 0.0, move |random| {
            let clusters = fifth.iter().map(|size| {
                let spread = if *size != 4 { 0.9 } else { 0.05 };
                let shared = if random.random_bool(0.5) { spread } else { -spread };
                vec![shared; *size]
            });
            clustered(&clusters.collect::<Vec<_>>(), Some((-1.0, 1.0)))
        }));
        // The large clusters vary, the small ones hardly do.
        cells.push(cell(GROUP, format!("{groups}, sizes 1 to 60, only large clusters vary"), 0.0, move |random| {
            let clusters = heavy.iter().map(|size| {
                let spread = if *size > 15 { 0.8 } else { 0.02 };
                let shared = spread * (2.0 * random.random::<f64>() - 1.0);
                (0..*size).map(|_| shared + 0.02 * (random.random::<f64>() - 0.5)).collect::<Vec<f64>>()
            });
            clustered(&clusters.collect::<Vec<_>>(), Some((-1.0, 1.0)))
        }));
    }
    cells
}

fn unbounded() -> Vec<Cell> {
    const GROUP: &str = "Values without bounds";
    let mut cells = Vec::new();
    for n in [20, 50, 200, 1000] {
        let of = |values: Vec<f64>| Evidence::of_levels(&values, None, None);
        cells.push(cell(GROUP, format!("n = {n}, normal"), 0.0, move |random| {
            of((0..n).map(|_| normal(random)).collect())
        }));
        cells.push(cell(GROUP, format!("n = {n}, log-normal"), 0.5_f64.exp(), move |random| {
            of((0..n).map(|_| log_normal(random)).collect())
        }));
        cells.push(cell(GROUP, format!("n = {n}, log-normal losses"), -0.5_f64.exp(), move |random| {
            of((0..n).map(|_| -log_normal(random)).collect())
        }));
    }
    cells
}
