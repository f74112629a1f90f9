//! Rust examples of a README, as rustdoc would compile them.

/// An example.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Example {
    /// The line of its fence.
    pub(super) line: usize,
    /// With the lines that rustdoc hides.
    pub(super) code: String,
    /// Whether it is meant to run.
    pub(super) runs: bool,
}

/// All blocks marked `rust` that compile.
pub(super) fn examples(text: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let words: Vec<&str> = info.split([',', ' ']).map(str::trim).collect();
        let block =
            lines.by_ref().map(|(_, line)| line).take_while(|line| !line.starts_with("```"));
        let code: String = block.map(|line| shown(line) + "\n").collect();
        let other = ["ignore", "compile_fail", "should_panic"];
        if words[0] == "rust" && !words.iter().any(|word| other.contains(word)) {
            let runs = !words.contains(&"no_run");
            examples.push(Example { line: number + 1, code, runs });
        }
    }
    examples
}

/// A line without the mark that hides it.
fn shown(line: &str) -> String {
    let start = line.len() - line.trim_start().len();
    let (indent, rest) = line.split_at(start);
    match rest {
        "#" => String::new(),
        _ if rest.starts_with("# ") => format!("{indent}{}", &rest[2..]),
        _ if rest.starts_with("##") => format!("{indent}{}", &rest[1..]),
        _ => line.to_owned(),
    }
}

/// `main.rs`: the example itself, or a `main` around it.
pub(super) fn program(code: &str) -> String {
    if code.contains("fn main()") {
        return code.to_owned();
    }
    if code.trim_end().ends_with("(())") {
        return format!(
            "fn main() {{\nfn example() -> Result<(), impl core::fmt::Debug> {{\n{code}}}\n\
             example().unwrap();\n}}\n"
        );
    }
    format!("fn main() {{\n{code}}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# A crate\n\n```sh\ncargo add a\n```\n\n```rust,no_run\nlet a = open(\"a\")?;\n\
        # Ok::<(), Error>(())\n```\ntext\n```rust\n#[derive(Debug)]\nstruct A;\n#\n    # let b = 1;\n## c\n```\n\
        ```rust,ignore\nnothing\n```\n```\nplain\n```\n";

    #[test]
    fn blocks_of_rust_are_found_with_their_hidden_lines() {
        let found = examples(README);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].line, found[0].runs), (7, false));
        assert_eq!(found[0].code, "let a = open(\"a\")?;\nOk::<(), Error>(())\n");
        assert_eq!((found[1].line, found[1].runs), (12, true));
        assert_eq!(found[1].code, "#[derive(Debug)]\nstruct A;\n\n    let b = 1;\n# c\n");
    }

    #[test]
    fn a_main_is_put_around_what_has_none() {
        let result = program("f()?;\nOk::<(), Error>(())\n");
        assert!(result.contains("-> Result<") && result.contains("example().unwrap()"), "{result}");
        assert_eq!(program("let a = 1;\n"), "fn main() {\nlet a = 1;\n}\n");
        let whole = "fn main() -> Result<()> {\n    Ok(())\n}\n";
        assert_eq!(program(whole), whole);
    }
}
