//! How far the clock runs ahead, as a person writes it: `31m`, `+24h`, `1d12h`.

use std::time::Duration;

/// Far beyond any expiry of the portal, and far from the end of what a timestamp can hold.
const LONGEST: u64 = 3650 * 86_400;

/// Reads an offset of days, hours, minutes and seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    const HINT: &str = "an offset is like 31m, +24h, 2d or 1d12h, and ahead only";
    let mut rest = text.trim().trim_start_matches('+');
    let mut seconds = 0_u64;
    if rest.is_empty() {
        return Err(HINT.to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).ok_or(HINT)?;
        let (count, behind) = rest.split_at(digits);
        let mut characters = behind.chars();
        let unit = match characters.next() {
            Some('d') => 86_400,
            Some('h') => 3600,
            Some('m') => 60,
            Some('s') => 1,
            _ => return Err(HINT.to_owned()),
        };
        let part = count.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
        seconds = part.and_then(|part| seconds.checked_add(part)).filter(|sum| *sum <= LONGEST).ok_or_else(|| {
            if count.is_empty() { HINT.to_owned() } else { "an offset is at most ten years".to_owned() }
        })?;
        rest = characters.as_str();
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read() {
        for (text, seconds) in [("31m", 1860), ("+24h", 86_400), ("2d", 172_800), ("1d12h", 129_600), ("0s", 0)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "5", "-5m", "m", "5x", "5é", "99999999999999999999d", "4000d"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
