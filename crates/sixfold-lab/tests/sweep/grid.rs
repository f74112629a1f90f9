//! Values between commas.

use proptest::prelude::*;
use sixfold_lab::sweep::{Axis, values};

fn split(text: &str) -> Vec<String> {
    values(text).unwrap_or_else(|| panic!("`{text}` is not closed"))
}

#[test]
fn commas_part_values_only_at_the_top() {
    let cases: [(&str, &[&str]); 11] = [
        ("1", &["1"]),
        ("1e-3,3e-4 , 2", &["1e-3", "3e-4", "2"]),
        ("[1,2],[3]", &["[1,2]", "[3]"]),
        ("{a=1,b=[2,3]},{}", &["{a=1,b=[2,3]}", "{}"]),
        ("\"a,b\",'c,d'", &["\"a,b\"", "'c,d'"]),
        (r#""a\",b",2"#, &[r#""a\",b""#, "2"]),
        (r"'a\',2", &[r"'a\'", "2"]),
        ("[\"]\",'[']", &["[\"]\",'[']"]),
        ("{data}/a.txt,{data}/b.txt", &["{data}/a.txt", "{data}/b.txt"]),
        // Within plain text, marks are text.
        ("it's,a]b", &["it's", "a]b"]),
        ("", &[""]),
    ];
    for (text, expected) in cases {
        assert_eq!(split(text), expected, "{text}");
    }
    for open in ["[1,2", "\"a", "'a", "{a=1", "[1}", "1,[2"] {
        assert_eq!(values(open), None, "{open}");
    }
}

#[test]
fn an_axis_says_what_is_wrong_with_it() {
    let axis = Axis::parse("text.max_tokens=1, 2").unwrap();
    assert_eq!(
        (axis.key.as_str(), axis.values.len(), axis.is_swept()),
        ("text.max_tokens", 2, true)
    );
    assert!(!Axis::parse("order=[1,2]").unwrap().is_swept());
    for wrong in ["a", "=1,2", "a=1,,2", "a=1,", "a=1,1", "a=[1", "a b=1"] {
        let error = Axis::parse(wrong).unwrap_err();
        assert_eq!(sixfold_lab::exit_code(&error), 2, "{wrong}: {error}");
    }
}

/// A value as it may be written: a word, a quoted text, a list or a table.
fn written() -> impl Strategy<Value = String> {
    let word = "[a-z0-9.]([a-z0-9.'\\]/-]{0,6})";
    let quoted = "[a-z,\\[{}]{0,6}".prop_map(|text| format!("\"{text}\""));
    let literal = "[a-z,\\\\\\]]{0,6}".prop_map(|text| format!("'{text}'"));
    let leaf = prop_oneof![word, quoted, literal];
    leaf.clone().prop_recursive(3, 12, 3, move |inner| {
        let list = prop::collection::vec(inner, 0..3);
        prop_oneof![
            leaf.clone(),
            list.clone().prop_map(|parts| bare(&parts, '[', ']', "")),
            list.prop_map(|parts| bare(&parts, '{', '}', "k = ")),
        ]
    })
}

/// Parts within marks. In TOML, words within marks are numbers or names, without quotes.
fn bare(parts: &[String], open: char, close: char, before: &str) -> String {
    let plain = |part: &String| match part.starts_with(['"', '\'', '[', '{']) {
        true => part.clone(),
        false => part.replace(['\'', ']'], ""),
    };
    let parts: Vec<String> = parts.iter().map(|part| format!("{before}{}", plain(part))).collect();
    format!("{open}{}{close}", parts.join(", "))
}

proptest! {
    #[test]
    fn what_is_joined_by_commas_comes_apart_again(
        parts in prop::collection::vec(written(), 1..6),
        space in prop::bool::ANY,
    ) {
        let text = parts.join(if space { " , " } else { "," });
        prop_assert_eq!(values(&text), Some(parts));
    }

    #[test]
    fn no_text_is_lost(text in "\\PC{0,40}") {
        if let Some(values) = values(&text) {
            let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(squeezed(&values.join(",")), squeezed(&text));
        }
    }
}
