//! Numbers, sizes and times as a reader wants them.

/// Four digits: four decimals below one, four significant digits otherwise. Whole numbers stay
/// whole.
///
/// ```
/// use sixfold_lab::format::number;
///
/// assert_eq!(number(0.98765), "0.9877");
/// assert_eq!(number(262144.0), "262 144");
/// assert_eq!(number(1.5e-7), "1.500e-7");
/// ```
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        return grouped(value);
    }
    if !(1e-4..1e7).contains(&size) {
        return format!("{value:.3e}");
    }
    let before = (size.log10().floor() as i32 + 1).max(0) as usize;
    // Below a thousandth the zeros would eat the digits.
    let zeros = if size < 1e-3 { (-size.log10().floor()) as usize - 1 } else { 0 };
    let text = format!("{value:.*}", 4_usize.saturating_sub(before) + zeros.min(3));
    if before > 4 { grouped(value.round()) } else { text }
}

/// Three significant digits without trailing zeros, for sentences.
///
/// ```
/// use sixfold_lab::format::short;
///
/// assert_eq!([short(0.94), short(0.98512), short(0.0056), short(47.0)], ["0.94", "0.985", "0.0056", "47"]);
/// ```
pub fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || value.fract() == 0.0 || !(1e-4..1e3).contains(&size) {
        return number(value);
    }
    let decimals = (2 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A whole number in groups of three, joined by narrow spaces from five digits on.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let sign = if value < 0.0 { "-" } else { "" };
    if digits.len() < 5 {
        return format!("{sign}{digits}");
    }
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    format!("{sign}{text}")
}

/// Bytes in binary units.
pub(crate) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return if unit == "B" {
                format!("{value:.0} B")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// A duration as `8.3 s`, `4 min 10 s` or `2 h 5 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}
