//! Words as BLEU counts them.

/// The words of a sentence by the rules that WMT's `mteval-v13a.pl` set, as sacreBLEU's tokeniser
/// `13a` has them: signs stand alone, but for dots and commas within numbers, hyphens that do not
/// follow a digit, and apostrophes.
pub fn words(sentence: &str) -> Vec<String> {
    let mut text = sentence.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    for (entity, sign) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
        text = text.replace(entity, sign);
    }
    let mut signs = vec![' '];
    for sign in text.chars() {
        match sign {
            '!'..='&' | '('..='+' | ':'..='@' | '/' | '['..='`' | '{'..='~' => {
                signs.extend([' ', sign, ' ']);
            }
            _ => signs.push(sign),
        }
    }
    signs.push(' ');
    let stop = |sign: char| matches!(sign, '.' | ',');
    let digit = |sign: char| sign.is_ascii_digit();
    let signs = at_pairs(&signs, |a, b| !digit(a) && stop(b), |a, b| [a, ' ', b, ' ']);
    let signs = at_pairs(&signs, |a, b| stop(a) && !digit(b), |a, b| [' ', a, ' ', b]);
    let signs = at_pairs(&signs, |a, b| digit(a) && b == '-', |a, b| [a, ' ', b, ' ']);
    let text: String = signs.into_iter().collect();
    text.split_whitespace().map(str::to_owned).collect()
}

/// Replaces pairs of neighbours from the left; a sign that was replaced is in no further pair.
fn at_pairs(
    signs: &[char],
    is: impl Fn(char, char) -> bool,
    with: impl Fn(char, char) -> [char; 4],
) -> Vec<char> {
    let mut replaced = Vec::with_capacity(signs.len());
    let mut at = 0;
    while let Some(&a) = signs.get(at) {
        match signs.get(at + 1) {
            Some(&b) if is(a, b) => {
                replaced.extend(with(a, b));
                at += 2;
            }
            _ => {
                replaced.push(a);
                at += 1;
            }
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn signs_stand_alone_as_the_rules_say() {
        for (sentence, expected) in SENTENCES {
            assert_eq!(words(sentence).join(" "), expected, "{sentence}");
        }
    }

    /// What `sacrebleu.tokenizers.tokenizer_13a` makes of them (version 2.5.1).
    const SENTENCES: [(&str, &str); 7] = [
        ("It's 3,000.5 metres, isn't it?", "It's 3,000.5 metres , isn't it ?"),
        ("a.. b,,c 1-2 x-y 9.-", "a . . b , , c 1 - 2 x-y 9 . -"),
        (
            "\"Quote\" &quot;q&quot; &amp; (par) [b] {c} ~ ` ^ _",
            "\" Quote \" \" q \" & ( par ) [ b ] { c } ~ ` ^ _",
        ),
        ("end. 5. .5 ,5 5,", "end . 5 . . 5 , 5 5 ,"),
        (
            "U.S. and e.g., $5/kg @home #1 50% <b> a=b",
            "U . S . and e . g . , $ 5 / kg @ home # 1 50 % < b > a = b",
        ),
        ("Müller's Straße–Nord, „gut“…", "Müller's Straße–Nord , „gut“…"),
        ("  spaced   out -- 7-- ", "spaced out -- 7 - -"),
    ];
}
