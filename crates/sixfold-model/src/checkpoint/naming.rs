//! From parameter paths to the tensor names of a family.

/// One line of a family's table: a module of ours and the tensors it is stored as.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Our path; `{i}` stands for the block.
    pub(crate) path: &'static str,
    /// Their name; `{p}` stands for the prefix of the body.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// How a module is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One tensor, as it is: a table, a bare bias.
    Plain,
    /// `weight`, a table.
    Table,
    /// `weight` and `bias` for γ and β.
    Norm,
    /// `weight` as `[out, in]`, and `bias`.
    Linear,
    /// `weight` as `[in, out]`, and `bias`: GPT-2's `Conv1D`.
    Conv1d,
    /// Part 0, 1 or 2 of a `Conv1d` that holds queries, keys and values side by side.
    Conv1dPart(usize),
    /// Part 0, 1 or 2 of a `Linear` that holds queries, keys and values head by head.
    HeadPart(usize),
}

/// Shorthands for a family's table.
macro_rules! entries {
    ($($function:ident => $kind:expr),* $(,)?) => {
        $(pub(crate) const fn $function(path: &'static str, name: &'static str) -> Entry {
            Entry { path, name, kind: $kind }
        })*
    };
}
entries!(plain => Kind::Plain, table => Kind::Table, norm => Kind::Norm, linear => Kind::Linear, conv1d => Kind::Conv1d);

pub(crate) const fn conv1d_part(path: &'static str, name: &'static str, part: usize) -> Entry {
    Entry { path, name, kind: Kind::Conv1dPart(part) }
}

pub(crate) const fn head_part(path: &'static str, name: &'static str, part: usize) -> Entry {
    Entry { path, name, kind: Kind::HeadPart(part) }
}

/// Where the values of one parameter lie in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The tensor's name.
    pub(crate) name: String,
    /// Whether a matrix is stored `[out, in]`.
    pub(crate) transposed: bool,
    pub(crate) part: Part,
}

/// Which outputs of the stored tensor are the parameter's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All.
    All,
    /// The `part`-th third.
    Third(usize),
    /// In each head's three chunks of `d_head`, the `part`-th.
    OfHead { part: usize, d_head: usize },
}

impl Part {
    /// The stored output that holds output `o` of a parameter with `n` outputs.
    pub(crate) fn stored(self, o: usize, n: usize) -> usize {
        match self {
            Self::All => o,
            Self::Third(part) => part * n + o,
            Self::OfHead { part, d_head } => (o / d_head * 3 + part) * d_head + o % d_head,
        }
    }

    /// How many outputs the stored tensor has for a parameter with `n`.
    pub(crate) fn stored_len(self, n: usize) -> usize {
        if self == Self::All { n } else { 3 * n }
    }
}

/// What a family's table leaves open.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    /// Before the names of the body, such as `model.`; `{p}` in a head's table.
    pub(crate) prefix: String,
    /// Width of a head.
    pub(crate) d_head: usize,
    /// Blocks in a group of shared layers: block i is `{j}` = i mod this of group `{g}`.
    pub(crate) group: usize,
}

/// Finds the source of the parameter at `path` in a family's table.
pub(crate) fn source(entries: &[Entry], naming: &Naming, path: &str) -> Option<Source> {
    let d_head = naming.d_head;
    entries.iter().find_map(|entry| {
        let (leaf, index) = matches(entry.path, path, entry.kind)?;
        let mut name = entry.name.replace("{p}", &naming.prefix);
        if let Some(index) = index {
            name = name
                .replace("{i}", &index.to_string())
                .replace("{g}", &(index / naming.group).to_string())
                .replace("{j}", &(index % naming.group).to_string());
        }
        let (suffix, transposed, part) = match (entry.kind, leaf) {
            (Kind::Plain, "") => ("", false, Part::All),
            (Kind::Table, "weight") => (".weight", false, Part::All),
            (Kind::Norm, "gamma") => (".weight", false, Part::All),
            (Kind::Norm, "beta") => (".bias", false, Part::All),
            (Kind::Linear, "weight") => (".weight", true, Part::All),
            (Kind::Conv1d, "weight") => (".weight", false, Part::All),
            (Kind::Linear | Kind::Conv1d, "bias") => (".bias", false, Part::All),
            (Kind::Conv1dPart(part), "weight") => (".weight", false, Part::Third(part)),
            (Kind::Conv1dPart(part), "bias") => (".bias", false, Part::Third(part)),
            (Kind::HeadPart(part), "weight") => (".weight", true, Part::OfHead { part, d_head }),
            (Kind::HeadPart(part), "bias") => (".bias", false, Part::OfHead { part, d_head }),
            _ => return None,
        };
        Some(Source { name: format!("{name}{suffix}"), transposed, part })
    })
}

/// Matches a path against a pattern: what is left of the path, and the block's number.
fn matches<'p>(pattern: &str, path: &'p str, kind: Kind) -> Option<(&'p str, Option<usize>)> {
    let (rest, index) = match pattern.split_once("{i}") {
        None => (path.strip_prefix(pattern)?, None),
        Some((before, after)) => {
            let rest = path.strip_prefix(before)?;
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (index, rest) = rest.split_at(digits);
            (rest.strip_prefix(after)?, Some(index.parse().ok()?))
        }
    };
    match (kind, rest) {
        (Kind::Plain, "") => Some(("", index)),
        _ => Some((rest.strip_prefix('.')?, index)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Entry] = &[
        table("embed.tokens", "{p}wte"),
        conv1d_part("blocks.{i}.attention.key", "{p}h.{i}.attn.c_attn", 1),
        head_part("blocks.{i}.attention.value", "layers.{i}.qkv", 2),
        norm("blocks.{i}.norm_1", "{p}h.{i}.ln_1"),
        plain("head.bias", "bias"),
    ];

    #[test]
    fn paths_become_names() {
        let naming = Naming { prefix: "transformer.".to_owned(), d_head: 4, group: 1 };
        let name = |path| source(TABLE, &naming, path).map(|source| source.name);
        assert_eq!(name("embed.tokens.weight").as_deref(), Some("transformer.wte.weight"));
        assert_eq!(name("blocks.12.norm_1.beta").as_deref(), Some("transformer.h.12.ln_1.bias"));
        assert_eq!(name("head.bias").as_deref(), Some("bias"));
        assert_eq!(name("blocks.12.norm_2.beta"), None);
        assert_eq!(name("blocks..norm_1.beta"), None);
    }

    #[test]
    fn parts_find_their_outputs() {
        let naming = Naming { prefix: String::new(), d_head: 4, group: 1 };
        let part = |path| source(TABLE, &naming, path).unwrap().part;
        let key = part("blocks.0.attention.key.weight");
        assert_eq!((key.stored(0, 8), key.stored(7, 8), key.stored_len(8)), (8, 15, 24));
        let value = part("blocks.0.attention.value.bias");
        assert_eq!((value.stored(0, 8), value.stored(3, 8), value.stored(4, 8)), (8, 11, 20));
    }
}
