//! Properties of `key=value`.

use proptest::prelude::*;
use sixfold_lab::config::{Override, Preset};
use toml::Value;

use crate::synthetic::registry;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,40}") {
        if let Ok(one) = Override::parse(&text) {
            prop_assert!(text.starts_with(one.key.as_str()) || text.trim_start().starts_with(&one.key));
            prop_assert!(text.contains('='));
        }
    }

    #[test]
    fn numbers_keep_their_type(whole in any::<i64>(), real in -1e6..1e6f64) {
        let value = |text: String| Override::parse(&text).unwrap().value;
        prop_assert_eq!(value(format!("a.b={whole}")), Value::Integer(whole));
        prop_assert_eq!(value(format!("a = {real:?}")), Value::Float(real));
    }

    #[test]
    fn what_is_no_toml_stays_text(word in "[a-z/{}][a-z/{} ]{0,20}[a-z]") {
        prop_assume!(!["true", "false", "inf", "nan"].contains(&word.as_str()));
        let one = Override::parse(&format!("a={word}")).unwrap();
        if !word.starts_with('{') {
            prop_assert_eq!(one.value, Value::String(word));
        }
    }

    #[test]
    fn a_value_brings_no_second_key(first in "[a-z]{1,8}", second in "[a-z]{1,8}") {
        let one = Override::parse(&format!("a=1\n{first}={second}")).unwrap();
        prop_assert!(one.value.is_str());
    }

    #[test]
    fn a_resolved_config_resolves_to_itself(tokens in 16..1_000_000_usize, name in "[a-z]{1,12}") {
        let registry = registry();
        let experiment = registry.get("linearity/profile").unwrap();
        let texts = [format!("text.max_tokens={tokens}"), format!("text.path={name}")];
        let overrides: Vec<_> = texts.iter().map(|text| Override::parse(text).unwrap()).collect();
        let once = experiment.resolve(Preset::Smoke, &overrides).unwrap();
        let again: Vec<_> = once.overrides().iter().map(|t| Override::parse(t).unwrap()).collect();
        let twice = experiment.resolve(Preset::Smoke, &again).unwrap();
        prop_assert_eq!(&once.table, &twice.table);
        prop_assert_eq!(once.hash("flex"), twice.hash("flex"));
        prop_assert_ne!(once.hash("flex"), twice.hash("cuda"));
    }
}

#[test]
fn a_number_in_the_place_of_text_is_the_text() {
    let registry = registry();
    let experiment = registry.get("linearity/profile").unwrap();
    let one = Override::parse("text.path=1984").unwrap();
    let resolved = experiment.resolve(Preset::Smoke, &[one]).unwrap();
    assert_eq!(resolved.table["text"]["path"].as_str(), Some("1984"));
}

#[test]
fn every_preset_of_every_experiment_resolves() {
    let registry = sixfold_lab::experiments::registry();
    for experiment in registry.iter() {
        for preset in [Preset::Smoke, Preset::Small, Preset::Paper] {
            let resolved = experiment.resolve(preset, &[]).unwrap();
            assert!(!resolved.about.question.is_empty() && !resolved.about.time.is_empty());
        }
    }
}
