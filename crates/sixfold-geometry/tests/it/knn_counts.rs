//! Ranks and pairs within radii against plain loops.

use ndarray::{Array2, ArrayView2};
use sixfold_geometry::knn::{pair_counts, ranks};
use sixfold_geometry::{Error, neighbours};
use sixfold_linalg::Real;

use crate::knn::{narrow, normal, ordered};

fn check<T: Real>(name: &str, x: ArrayView2<'_, T>, radii: &[f64]) {
    let n = x.nrows();
    let partners: Vec<u32> = (0..n).map(|i| ((i * 7 + 1 + n / 3) % n) as u32).collect();
    let partners: Vec<u32> = (0..n as u32)
        .zip(partners)
        .map(|(i, p)| if p == i { (p + 1) % n as u32 } else { p })
        .collect();
    let found = ranks(x, &partners).unwrap();
    let mut pairs = vec![0_u64; radii.len()];
    for i in 0..n {
        let others = ordered(x, i);
        let rank = 1 + others.iter().position(|(_, j)| *j == partners[i]).unwrap();
        assert_eq!(found[i] as usize, rank, "{name}: rank of {} for {i}", partners[i]);
        for (count, radius) in pairs.iter_mut().zip(radii) {
            *count += others.iter().filter(|(d, j)| *j as usize > i && d < radius).count() as u64;
        }
    }
    assert_eq!(pair_counts(x, radii).unwrap(), pairs, "{name}");
}

#[test]
fn counts_are_those_of_plain_loops() {
    let x = normal(21, 1100, 20);
    check("f32", narrow(&x).view(), &[3.0, 5.0, 6.0, 100.0, 0.0, -1.0, 1e300]);
    let x = normal(22, 300, 1);
    check("f64", x.view(), &[1e-3, 0.1, 1.0]);
    let mut x = normal(23, 500, 30);
    x.column_mut(0).mapv_inplace(|x| 300.0 * x);
    check("spiked", narrow(&x).view(), &[7.0, 8.0, 300.0]);
    check("shifted", x.mapv(|x| 1e5 + 1e-5 * x).view(), &[7e-5, 3e-3]);
}

#[test]
fn ties_are_decided_exactly() {
    let lattice =
        Array2::from_shape_fn((400, 2), |(i, j)| ((i / 20_usize.pow(j as u32)) % 20) as f32);
    check("lattice", lattice.view(), &[1.0, 2.0_f64.sqrt(), 1.5, 5.0]);
    let thirds = lattice.mapv(|x| f64::from(x) / 3.0);
    check("thirds", thirds.view(), &[1.0 / 3.0 + 1e-9, 1.7]);
    let mut x = narrow(&normal(24, 600, 8));
    for i in 0..600 {
        let row = x.row(i % 50).to_owned();
        x.row_mut(i).assign(&row);
    }
    check("copies", x.view(), &[1e-300, 0.0, 2.0]);
    check("all equal", Array2::from_elem((300, 4), 0.1_f64).view(), &[1e-9, 0.0]);
}

#[test]
fn the_rank_of_the_mth_neighbour_is_m() {
    let x = narrow(&normal(25, 700, 30));
    let table = neighbours(x.view(), 9).unwrap();
    for m in [0, 4, 8] {
        let partners = table.indices().column(m).to_vec();
        assert!(ranks(x.view(), &partners).unwrap().iter().all(|&rank| rank as usize == m + 1));
    }
}

#[test]
fn partners_and_radii_are_checked() {
    let x = normal(26, 10, 2);
    let short = ranks(x.view(), &[1; 9]);
    assert!(matches!(short, Err(Error::ShapeMismatch { what: "partners", .. })));
    let itself = ranks(x.view(), &[1; 10]);
    assert!(matches!(itself, Err(Error::InvalidParameter { name: "partner", .. })));
    let beyond = ranks(x.view(), &[10; 10]);
    assert!(matches!(beyond, Err(Error::InvalidParameter { name: "partner", .. })));
    let nan = pair_counts(x.view(), &[1.0, f64::NAN]);
    assert!(matches!(nan, Err(Error::NotFinite { what: "radii", row: 1, .. })));
    let few = pair_counts(x.slice(ndarray::s![..1, ..]), &[1.0]);
    assert!(matches!(few, Err(Error::TooFewPoints { found: 1, needed: 2, .. })));
}
