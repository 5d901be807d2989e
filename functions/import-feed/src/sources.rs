//! The systems that may send batches, and whose actions their entries may name.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use portal::domain::Identifier;

/// The sources that are known, as the stack's parameter `FeedSources` lists them.
///
/// `erp,crm,crm:erp` knows two, and lets entries of `crm` name actions of `erp`; not the other way round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    known: BTreeSet<Identifier>,
    /// The source of entries, and that of the actions that they may name.
    pairs: BTreeSet<(Identifier, Identifier)>,
}

impl Sources {
    /// Reads the parameter.
    ///
    /// # Errors
    /// The fault, in words for an operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut known, mut pairs) = (BTreeSet::new(), BTreeSet::new());
        let source = |name: &str| {
            let wrong = |_| format!("{name:?} is no source: 1 to 64 of A-Z a-z 0-9 . _ - are needed");
            Identifier::parse(name).map_err(wrong)
        };
        for part in text.split(',').map(str::trim) {
            match part.split_once(':') {
                None => drop(known.insert(source(part)?)),
                Some((of_entries, of_actions)) => drop(pairs.insert((source(of_entries)?, source(of_actions)?))),
            }
        }
        if known.is_empty() {
            return Err("a source is needed".to_owned());
        }
        if let Some(unknown) = pairs.iter().flat_map(|(one, other)| [one, other]).find(|name| !known.contains(*name)) {
            return Err(format!("{unknown} stands in a pair and not by itself"));
        }
        let folded: BTreeSet<String> = known.iter().map(|name| name.as_str().to_ascii_lowercase()).collect();
        if folded.len() < known.len() {
            return Err("two sources differ in capitals alone: each would post what the other sent".to_owned());
        }
        Ok(Self { known, pairs })
    }

    /// Whether batches of this source are posted.
    #[must_use]
    pub fn knows(&self, source: &Identifier) -> bool {
        self.known.contains(source)
    }

    /// Whether an entry of one source may be posted on an action of the other.
    #[must_use]
    pub fn allows(&self, of_entry: &Identifier, of_action: &Identifier) -> bool {
        of_entry == of_action || self.pairs.contains(&(of_entry.clone(), of_action.clone()))
    }
}

impl Display for Sources {
    /// The names of those that are known.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.known.iter().map(Identifier::as_str).collect();
        formatter.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_lets_the_entries_of_one_source_name_the_actions_of_the_other() {
        let name = |text| Identifier::parse(text).unwrap();
        let sources = Sources::parse("erp, crm,crm:erp").unwrap();
        assert_eq!(sources.to_string(), "crm, erp");
        assert!(sources.knows(&name("erp")) && !sources.knows(&name("ERP")));
        assert!(sources.allows(&name("crm"), &name("erp")) && sources.allows(&name("erp"), &name("erp")));
        assert!(!sources.allows(&name("erp"), &name("crm")));
    }

    #[test]
    fn a_list_that_is_wrong_says_what_is() {
        for (text, what) in [
            ("", "\"\" is no source"),
            ("erp,", "\"\" is no source"),
            ("erp,é", "\"é\" is no source"),
            ("erp:erp", "a source is needed"),
            ("erp,crm:erp", "crm stands in a pair"),
            ("erp,erp:crm", "crm stands in a pair"),
            ("erp,ERP", "differ in capitals"),
            ("erp,a:b:c", "\"b:c\" is no source"),
        ] {
            assert!(Sources::parse(text).unwrap_err().contains(what), "{text}");
        }
    }
}
