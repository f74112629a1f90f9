//! Clouds of known dimension.

use sixfold_geometry::manifolds::{self, Manifold};

#[test]
fn a_seed_gives_the_same_points_and_another_seed_others() {
    for manifold in Manifold::ALL {
        let x = manifold.sample(50, 1);
        assert_eq!(x.dim(), (50, manifold.ambient()), "{manifold}");
        assert!(x.iter().all(|value| value.is_finite()), "{manifold}");
        assert_eq!(x, manifold.sample(50, 1), "{manifold}");
        assert_ne!(x, manifold.sample(50, 2), "{manifold}");
        assert_eq!(manifold.sample(0, 1).nrows(), 0, "{manifold}");
    }
    assert_ne!(manifolds::gaussian(5, 20, 1), Manifold::M12.sample(5, 1));
}

#[test]
fn names_are_different_and_dimensions_possible() {
    let names: std::collections::HashSet<_> = Manifold::ALL.iter().map(|m| m.name()).collect();
    assert_eq!(names.len(), 17);
    assert!(Manifold::ALL.iter().all(|m| 0 < m.intrinsic() && m.intrinsic() <= m.ambient()));
}

/// Equations that every point of a manifold satisfies, derived from the definitions by elimination.
#[test]
fn points_lie_on_their_manifolds() {
    let near = |a: f64, b: f64, name: &str| assert!((a - b).abs() < 1e-9, "{name}: {a} and {b}");
    for row in Manifold::M1.sample(200, 3).rows() {
        near(row.dot(&row), 1.0, "sphere");
    }
    for row in Manifold::M5a.sample(200, 3).rows() {
        let radius = row[0].hypot(row[1]) - 2.0;
        near(radius * radius + row[2] * row[2], 1.0, "helix on a torus");
    }
    for row in Manifold::M5b.sample(200, 3).rows() {
        near(row[0] * (2.0 * row[2]).sin(), row[1] * (2.0 * row[2]).cos(), "helicoid");
    }
    for row in Manifold::M7.sample(200, 3).rows() {
        let t = row[0].hypot(row[2]);
        near(t * t.cos(), row[0], "roll");
        assert!((0.0..=21.0).contains(&row[1]));
    }
    for row in Manifold::M11.sample(200, 3).rows() {
        // In the meridian half-plane the band is the segment through (1, 0) at the angle 5φ.
        let (phi, radius) = (row[1].atan2(row[0]), row[0].hypot(row[1]) - 1.0);
        near(radius * (5.0 * phi).sin(), row[2] * (5.0 * phi).cos(), "band");
    }
    for row in Manifold::M13b.sample(200, 3).rows() {
        near(row[0], 100.0 * row[2].cos(), "wide helix");
        near(row[1], 100.0 * row[2].sin(), "wide helix");
        assert!(row.iter().skip(3).all(|&x| x == 0.0));
    }
    for row in Manifold::M10a.sample(200, 3).rows() {
        assert_eq!(row.iter().filter(|&&x| x * (1.0 - x) == 0.0).count(), 1, "one face");
    }
    for (manifold, copies) in [(Manifold::M6, 3), (Manifold::M8, 3), (Manifold::Mbeta, 2)] {
        for row in manifold.sample(20, 3).rows() {
            let part = row.len() / copies;
            let of_first = (0..row.len()).map(|i| row[i % part].to_bits());
            assert!(row.iter().map(|x| x.to_bits()).eq(of_first), "{manifold}");
        }
    }
    for row in Manifold::M4.sample(200, 3).rows() {
        // The angle of each circle is the radius of the one before.
        for i in 0..4 {
            let angle = row[2 * i + 1].atan2(row[2 * i]).rem_euclid(std::f64::consts::TAU);
            let before = (i + 3) % 4;
            let radius = row[2 * before].hypot(row[2 * before + 1]);
            near(angle / std::f64::consts::TAU, radius, "turning circles");
        }
    }
}

#[test]
fn the_affine_manifold_has_rank_three_and_the_torus_unit_circles() {
    let x = Manifold::M2.sample(100, 5);
    let centred = &x - &x.mean_axis(ndarray::Axis(0)).unwrap();
    let values = sixfold_linalg::svdvals(centred.view()).unwrap();
    assert!(values[2] > 1.0 && values[3] < 1e-10, "{values}");
    for row in manifolds::torus(50, 3, 5).rows() {
        for pair in 0..3 {
            assert!((row[2 * pair].hypot(row[2 * pair + 1]) - 1.0).abs() < 1e-12);
        }
    }
}

/// Means over many points against the moments of the definitions, five standard errors wide.
#[test]
fn moments_are_those_of_the_definitions() {
    let n = 20_000;
    let check = |x: ndarray::ArrayView1<'_, f64>, mean: f64, sd: f64, name: &str| {
        let found = x.sum() / n as f64;
        let reach = 5.0 * sd / (n as f64).sqrt();
        assert!((found - mean).abs() < reach, "{name}: {found} against {mean} ± {reach}");
    };
    let gaussian = manifolds::gaussian(n, 2, 9);
    check(gaussian.column(0), 0.0, 1.0, "normal mean");
    check(gaussian.mapv(|x| x * x).column(1), 1.0, 2.0_f64.sqrt(), "normal variance");
    let cube = Manifold::M9.sample(n, 9);
    check(cube.mapv(|x| x * x).column(4), 6.25 / 3.0, 1.87, "cube's second moment");
    let roll = Manifold::M7.sample(n, 9);
    check(roll.column(1), 10.5, 6.07, "height of the roll");
    let beta = Manifold::Mbeta.sample(n, 9);
    check(beta.column(10), beta_moment(), 0.2, "Beta image");
}

/// E[x·cos(sin 2πx)] for x ~ Beta(10, ½), by the midpoint rule in u with x = 1 − u², which takes away
/// the singularity of the density at 1.
fn beta_moment() -> f64 {
    let steps = 20_000;
    let (mut mass, mut sum) = (0.0, 0.0);
    for i in 0..steps {
        let u = (i as f64 + 0.5) / steps as f64;
        let x = 1.0 - u * u;
        let weight = x.powi(9);
        mass += weight;
        sum += weight * x * (std::f64::consts::TAU * x).sin().cos();
    }
    sum / mass
}
