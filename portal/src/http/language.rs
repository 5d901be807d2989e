//! The language of what people read: French, or English for those who ask.

/// French unless the caller prefers English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// French.
    #[default]
    French,
    /// English.
    English,
}

impl Language {
    /// The better of the two by an `Accept-Language` header (RFC 9110, 12.5.4); French on a tie.
    #[must_use]
    pub fn preferred(accept_language: &str) -> Self {
        let weight = |language: &str| {
            let of_range = |range: &str| {
                let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
                let tag = tag.trim().to_ascii_lowercase();
                let named = tag == language || tag.split('-').next() == Some(language);
                let quality = parameters.split(';').find_map(weight_of).unwrap_or(Some(1.0));
                (named || tag == "*").then_some(quality)?.map(|q| (named, q))
            };
            // A range that names the language outweighs `*`, whatever their weights.
            accept_language
                .split(',')
                .filter_map(of_range)
                .max_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal))
                .map_or(0.0, |(_, q)| q)
        };
        if weight("en") > weight("fr") { Self::English } else { Self::French }
    }

    /// The text in this language.
    #[must_use]
    pub fn choose<'a>(self, fr: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::French => fr,
            Self::English => en,
        }
    }

    /// The language tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.choose("fr", "en")
    }
}

/// The weight, where a parameter is one: `None` in it for what is no number.
fn weight_of(parameter: &str) -> Option<Option<f32>> {
    let (name, value) = parameter.split_once('=')?;
    name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_only_for_who_prefers_it() {
        for (header, language) in [
            ("", Language::French),
            ("en", Language::English),
            ("en-GB,en;q=0.9,fr;q=0.5", Language::English),
            ("fr-FR,fr;q=0.9,en;q=0.8", Language::French),
            ("de, en;q=0.3", Language::English),
            ("de", Language::French),
            ("*", Language::French),
            ("*, fr;q=0.1", Language::English),
            ("en;q=oops", Language::French),
            ("fr;Q=0.1, en; level=1; q=0.9", Language::English),
            ("x=\u{fffd}\u{e9}, ;;q, en", Language::English),
        ] {
            assert_eq!(Language::preferred(header), language, "{header}");
        }
    }
}
