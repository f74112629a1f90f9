//! Clouds of all sites of a model.

use sixfold_geometry::CloudTap;
use sixfold_geometry::cloud::{Score, spread_of_groups};
use sixfold_model::stats::{SampleTap, TokenClass, TokenFilter};
use sixfold_model::{Batch, PaddingSide, Seed, Transformer, TransformerSpec, device};

const D: usize = 16;

#[test]
fn clouds_of_a_model_are_those_of_its_states() {
    for name in sixfold_model::available_devices() {
        if name == "cuda" || name == "wgpu" && !sixfold_testkit::has_vulkan() {
            continue;
        }
        let spec = TransformerSpec::decoder(50, D, 2, 4);
        let model = Transformer::new(&spec, Seed::new(5), &device(name).unwrap());
        let mut tap = CloudTap::new();
        // A sample of everything keeps all states.
        let mut all = SampleTap::new(usize::MAX, &[TokenFilter::All, TokenFilter::NoFirst], 0);
        for n in 0..6_u32 {
            let row = |i: u32| (0..20 + 3 * i).map(|j| (n * 17 + i * 5 + j * 7) % 50).collect();
            let rows: Vec<Vec<u32>> = (0..4).map(row).collect();
            let batch = Batch::pad(&rows, 0, PaddingSide::Right);
            let classes: Vec<TokenClass> = rows
                .iter()
                .flat_map(|row| (0..row.len()).map(|j| j == 0))
                .map(|first| TokenClass { first, ..TokenClass::default() })
                .collect();
            tap.begin(&batch, &classes, &[0, 1, 2, n as usize % 3]);
            model.forward_with(&batch, &mut tap).unwrap();
            let numbers = [0, 1, 2, 3].map(|row| u64::from(n * 1000 + row * 100));
            all.begin(&batch, &classes, &numbers);
            model.forward_with(&batch, &mut all).unwrap();
        }
        for filter in [TokenFilter::All, TokenFilter::NoFirst] {
            let clouds = tap.clouds_of(filter).unwrap();
            let groups = tap.groups_of(filter).unwrap();
            assert_eq!((clouds.len(), groups.len()), (3, 3));
            for (site, cloud) in clouds.iter().enumerate() {
                let rows = all.rows(filter, site);
                let mut expected = sixfold_geometry::Cloud::new(D);
                expected.update(rows.view()).unwrap();
                let (found, expected) = (cloud.spread().unwrap(), expected.spread().unwrap());
                let grouped = spread_of_groups(&groups[site]).unwrap();
                assert_eq!(found.n, rows.nrows() as u64);
                assert_eq!((grouped.groups, grouped.spread.n), (3, found.n));
                for score in Score::ALL {
                    let value =
                        |spread: &sixfold_geometry::cloud::Spread| spread.score(score).unwrap();
                    let (a, b) = (value(&found), value(&expected));
                    assert!(
                        (a - b).abs() < 2e-4 * b.abs().max(0.01),
                        "{name} {site} {}",
                        score.name()
                    );
                    assert!((value(&grouped.spread) - a).abs() < 1e-6 * a.abs().max(0.01));
                    assert!(grouped.ci95(score).is_some());
                }
            }
        }
        assert_eq!(tap.clouds().unwrap()[0].count(), 6 * (20 + 23 + 26 + 29));
    }
}
