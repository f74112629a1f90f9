//! Tokenizers of small models: the vocabulary of a known one, cut to what the texts use, or the words of the texts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};
use sixfold_model::{EncodeOptions, Tokenizer};

use crate::data::words;
use crate::error::{doing, missing};

/// Tokens that no text is made of, in the order of their ids.
const WORDPIECE: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const BYTE_LEVEL: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];

/// The `tokenizer.json` of word-pieces: those of `file` that the texts use and all single signs, so that texts in
/// tokens stay what they are; without a file, the words of the texts.
pub(super) fn wordpiece(texts: &[&str], file: Option<&Path>) -> Result<Value> {
    let is_special = |token: &str| WORDPIECE.contains(&token);
    let bert = json!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
        "strip_accents": null, "lowercase": true});
    let (tokens, normalizer) = match file {
        Some(path) => {
            let whole = read(path)?;
            let ids = whole["model"]["vocab"].as_object().ok_or_else(|| {
                missing(format!("{}: holds no vocabulary of word-pieces", path.display()))
            })?;
            let used = used(&Tokenizer::from_file(path)?, texts)?;
            let is_sign = |token: &str| token.trim_start_matches("##").chars().count() == 1;
            let mut kept: Vec<(u64, &String)> = ids
                .iter()
                .filter(|(token, _)| !is_special(token))
                .filter(|(token, _)| used.contains(token.as_str()) || is_sign(token))
                .map(|(token, id)| (id.as_u64().unwrap_or_default(), token))
                .collect();
            kept.sort_unstable();
            let tokens: Vec<String> = kept.into_iter().map(|(_, token)| token.clone()).collect();
            (tokens, whole["normalizer"].clone())
        }
        None => {
            let words: BTreeSet<String> = texts.iter().flat_map(|text| words(text)).collect();
            let signs: BTreeSet<char> = words.iter().flat_map(|word| word.chars()).collect();
            let signs = signs.into_iter().flat_map(|sign| [sign.to_string(), format!("##{sign}")]);
            let signs: BTreeSet<String> = signs.collect();
            (signs.union(&words).cloned().collect(), bert)
        }
    };
    let special = WORDPIECE.map(str::to_owned);
    let vocab = numbered(special.into_iter().chain(tokens));
    let one = |token: &str, kind: u32| json!({"SpecialToken": {"id": token, "type_id": kind}});
    let text = |name: &str, kind: u32| json!({"Sequence": {"id": name, "type_id": kind}});
    let known = |token: &str| json!({"id": token, "ids": [vocab[token]], "tokens": [token]});
    Ok(json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": added(&WORDPIECE),
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [one("[CLS]", 0), text("A", 0), one("[SEP]", 0)],
            "pair": [one("[CLS]", 0), text("A", 0), one("[SEP]", 0), text("B", 1), one("[SEP]", 1)],
            "special_tokens": {"[CLS]": known("[CLS]"), "[SEP]": known("[SEP]")},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab},
    }))
}

/// The `tokenizer.json` of byte-level pairs: the merges of `folder` that lead to tokens of the texts; without a
/// folder, merges that make the words of the texts sign by sign.
///
/// Texts are read with a space before them, so that what is put before a text does not change its first token.
pub(super) fn byte_level(texts: &[&str], folder: Option<&Path>) -> Result<Value> {
    let merges = match folder {
        Some(folder) => {
            let path = folder.join("merges.txt");
            let text = std::fs::read_to_string(&path).with_context(|| doing("read", &path))?;
            let lines = text.lines().filter(|line| !line.starts_with("#version"));
            let all: Vec<[String; 2]> = lines
                .filter_map(|line| line.split_once(' '))
                .map(|(a, b)| [a.to_owned(), b.to_owned()])
                .collect();
            let file = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
            std::fs::write(file.path(), byte_level_of(&all).to_string())
                .with_context(|| doing("write", file.path()))?;
            let used = used(&Tokenizer::from_file(file.path())?, texts)?;
            leading_to(all, used)
        }
        None => spelled(texts),
    };
    Ok(byte_level_of(&merges))
}

fn byte_level_of(merges: &[[String; 2]]) -> Value {
    let special = BYTE_LEVEL.map(str::to_owned).into_iter();
    let bytes = (0..=255).map(|byte| sign_of(byte).to_string());
    let vocab = numbered(special.chain(bytes).chain(merges.iter().map(|pair| pair.concat())));
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true,
        "use_regex": true});
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": added(&BYTE_LEVEL),
        "normalizer": null,
        "pre_tokenizer": bytes,
        "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0],
            "trim_offsets": true, "add_prefix_space": true},
        "decoder": bytes,
        "model": {"type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
            "byte_fallback": false, "ignore_merges": false, "vocab": vocab, "merges": merges},
    })
}

/// The merges without which a token of `used` could not be made, in their order.
fn leading_to(merges: Vec<[String; 2]>, used: HashSet<String>) -> Vec<[String; 2]> {
    let makes: HashMap<String, usize> =
        merges.iter().enumerate().map(|(i, pair)| (pair.concat(), i)).collect();
    let mut needed = BTreeSet::new();
    let mut open: Vec<String> = used.into_iter().collect();
    while let Some(token) = open.pop() {
        if let Some(&merge) = makes.get(&token)
            && needed.insert(merge)
        {
            open.extend(merges[merge].clone());
        }
    }
    let mut kept = merges;
    let mut index = 0;
    kept.retain(|_| {
        index += 1;
        needed.contains(&(index - 1))
    });
    kept
}

/// Merges that add sign after sign to a space until each word of the texts is one token.
fn spelled(texts: &[&str]) -> Vec<[String; 2]> {
    let words: BTreeSet<String> = texts.iter().flat_map(|text| words(text)).collect();
    let mut seen = HashSet::new();
    let mut merges = Vec::new();
    for word in words.iter().filter(|word| word.chars().all(char::is_alphabetic)) {
        let mut begun = sign_of(b' ').to_string();
        for byte in word.bytes() {
            let sign = sign_of(byte).to_string();
            let longer = format!("{begun}{sign}");
            if seen.insert(longer.clone()) {
                merges.push([begun, sign]);
            }
            begun = longer;
        }
    }
    merges
}

/// The sign that stands for a byte in byte-level vocabularies: itself where it can be printed, else one of those
/// after 255.
fn sign_of(byte: u8) -> char {
    let prints = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if prints(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|other| !prints(*other)).count() as u32;
    char::from_u32(256 + before).unwrap_or('\u{100}')
}

/// The tokens that the texts are made of.
fn used(tokenizer: &Tokenizer, texts: &[&str]) -> Result<HashSet<String>> {
    let options = EncodeOptions { special_tokens: false, ..EncodeOptions::default() };
    let mut ids = BTreeSet::new();
    for encoding in tokenizer.encode_all(texts, &options)? {
        ids.extend(encoding.ids);
    }
    Ok(ids.into_iter().filter_map(|id| tokenizer.token(id)).collect())
}

fn read(path: &Path) -> Result<Value> {
    let bytes = std::fs::read(path).with_context(|| doing("read", path))?;
    serde_json::from_slice(&bytes).with_context(|| doing("read", path))
}

/// Ids in the order given.
fn numbered(tokens: impl Iterator<Item = String>) -> Map<String, Value> {
    let mut vocab: BTreeMap<String, usize> = BTreeMap::new();
    for token in tokens {
        let next = vocab.len();
        vocab.entry(token).or_insert(next);
    }
    vocab.into_iter().map(|(token, id)| (token, id.into())).collect()
}

fn added(special: &[&str]) -> Vec<Value> {
    let one = |(id, token): (usize, &&str)| {
        json!({"id": id, "content": token, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true})
    };
    special.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokenizer(json: &Value) -> Tokenizer {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), json.to_string()).unwrap();
        Tokenizer::from_file(file.path()).unwrap()
    }

    fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
        let ids = tokenizer.encode(text, &EncodeOptions::default()).unwrap().ids;
        ids.into_iter().map(|id| tokenizer.token(id).unwrap()).collect()
    }

    #[test]
    fn words_of_the_texts_are_tokens_of_both_kinds() {
        let texts = ["the cat saw a hat.", "a catalogue"];
        let pieces = tokenizer(&wordpiece(&texts, None).unwrap());
        assert_eq!(tokens(&pieces, "The cat."), ["[CLS]", "the", "cat", ".", "[SEP]"]);
        assert_eq!(tokens(&pieces, "cas")[1..3], ["c", "##a"]);
        let bytes = tokenizer(&byte_level(&texts, None).unwrap());
        assert_eq!(tokens(&bytes, "the cat."), ["<s>", "Ġthe", "Ġcat", ".", "</s>"]);
        assert_eq!(tokens(&bytes, "catalogue")[1..2], ["Ġcatalogue"]);
        let ids = bytes.encode("é hat", &EncodeOptions::default()).unwrap().ids;
        assert_eq!(bytes.decode(&ids).unwrap(), " é hat");
    }

    #[test]
    fn only_merges_that_lead_to_a_token_are_kept() {
        let merges = [["a", "b"], ["c", "d"], ["ab", "c"], ["cd", "e"]];
        let merges = merges.map(|pair| pair.map(str::to_owned)).to_vec();
        let kept = leading_to(merges, HashSet::from(["abc".to_owned()]));
        assert_eq!(kept, [["a", "b"], ["ab", "c"]]);
    }

    #[test]
    fn bytes_have_the_signs_of_published_vocabularies() {
        assert_eq!([b' ', b'a', b'\n', 0xad].map(sign_of), ['Ġ', 'a', 'Ċ', 'Ń']);
        let all: HashSet<char> = (0..=255).map(sign_of).collect();
        assert_eq!(all.len(), 256);
    }
}
