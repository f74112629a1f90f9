//! Rotary settings, as the decoders write them.

use serde_json::{Map, Value};

use crate::checkpoint::ConfigReader;
use crate::{Result, RopeScaling, Rotary};

/// `rope_theta`, `rope_scaling` and `partial_rotary_factor` of a model with heads of `d_head`.
pub(super) fn rotary(config: &ConfigReader<'_>, d_head: usize) -> Result<Rotary> {
    let fraction = config.number("partial_rotary_factor", 1.0)?;
    let dim = (d_head as f64 * fraction) as usize;
    if dim == 0 || !dim.is_multiple_of(2) || dim > d_head {
        let expected = format!("expected a fraction of {d_head} that is even and positive");
        return Err(config.error("partial_rotary_factor", expected));
    }
    let theta = config.number("rope_theta", 10_000.0)?;
    Ok(Rotary { dim, theta, scaling: scaling(config)? })
}

pub(super) fn scaling(config: &ConfigReader<'_>) -> Result<RopeScaling> {
    const KEY: &str = "rope_scaling";
    let max_positions = config.count_opt("max_position_embeddings")?;
    let values = match config.value(KEY) {
        None => return Ok(RopeScaling::None),
        Some(Value::Object(values)) => values,
        Some(_) => return Err(config.error(KEY, "expected a table")),
    };
    let number = |key: &str| values.get(key).and_then(Value::as_f64);
    let needed = |key: &str| {
        number(key)
            .filter(|number| number.is_finite() && *number > 0.0)
            .ok_or_else(|| config.error(KEY, format!("expected a positive number `{key}` in it")))
    };
    let original = || {
        number("original_max_position_embeddings")
            .map(|n| n as usize)
            .or(max_positions)
            .ok_or_else(|| config.error(KEY, "expected `original_max_position_embeddings` in it"))
    };
    let only = |known: &[&str]| match unknown(values, known) {
        None => Ok(()),
        Some(key) => Err(config.error(KEY, format!("its key `{key}` is not supported"))),
    };
    match values.get("rope_type").or_else(|| values.get("type")).and_then(Value::as_str) {
        Some("default") => only(&[]).map(|()| RopeScaling::None),
        Some("linear") => {
            only(&["factor"])?;
            Ok(RopeScaling::Linear { factor: needed("factor")? })
        }
        Some("llama3") => {
            only(&[
                "factor",
                "low_freq_factor",
                "high_freq_factor",
                "original_max_position_embeddings",
            ])?;
            Ok(RopeScaling::Llama3 {
                factor: needed("factor")?,
                low_freq_factor: needed("low_freq_factor")?,
                high_freq_factor: needed("high_freq_factor")?,
                original_max_positions: original()?,
            })
        }
        Some("yarn") => {
            only(&[
                "factor",
                "original_max_position_embeddings",
                "attention_factor",
                "beta_fast",
                "beta_slow",
                "mscale",
                "mscale_all_dim",
            ])?;
            let factor = needed("factor")?;
            let temperature =
                |mscale: f64| if factor <= 1.0 { 1.0 } else { 0.1 * mscale * factor.ln() + 1.0 };
            let inferred = match (number("mscale"), number("mscale_all_dim")) {
                (Some(one), Some(all)) if one > 0.0 && all > 0.0 => {
                    temperature(one) / temperature(all)
                }
                _ => temperature(1.0),
            };
            Ok(RopeScaling::Yarn {
                factor,
                original_max_positions: original()?,
                beta_fast: number("beta_fast").unwrap_or(32.0),
                beta_slow: number("beta_slow").unwrap_or(1.0),
                attention_factor: number("attention_factor").unwrap_or(inferred),
            })
        }
        _ => Err(config.error(KEY, "supported types: default, linear, llama3, yarn")),
    }
}

/// A key of the table that its type does not use.
fn unknown<'a>(values: &'a Map<String, Value>, known: &[&str]) -> Option<&'a str> {
    values.keys().map(String::as_str).find(|key| {
        !["rope_type", "type"].contains(key) && !known.contains(key) && !values[*key].is_null()
    })
}
