//! `GET /api/documents/{kind}` and `/{kind}/{version}`: the legal documents, for everybody to read.

use portal::domain::DocumentKind;
use portal::environment::{Environment, StartError};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::store::{Store, Table, current_text, document_version};

/// The function `read-document`.
#[derive(Clone)]
pub struct Function {
    store: Store,
}

impl HttpFunction for Function {
    const NAME: &'static str = "read-document";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { store: Store::connect(environment, &[Table::Members])? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let kind = DocumentKind::parse(call.path("kind")).ok_or(Problem::NotFound)?;
        match call.route.as_str() {
            "GET /api/documents/{kind}" => {
                let document = current_text(&self.store, kind).await?;
                // A minute: whoever accepts a text that was replaced meanwhile is told so.
                Ok(Answer::ok(document.as_ref())?.cacheable("public, max-age=60"))
            }
            "GET /api/documents/{kind}/{version}" => {
                let version = parse_version(call.path("version")).ok_or(Problem::NotFound)?;
                let document = document_version(&self.store, kind, version).await?.ok_or(Problem::NotFound)?;
                Ok(Answer::ok(document.as_ref())?.cacheable("public, max-age=31536000, immutable"))
            }
            _ => Err(Problem::NotFound),
        }
    }
}

/// A version has one spelling, so that it has one address: no sign, no leading zero.
fn parse_version(text: &str) -> Option<u32> {
    let version: u32 = text.parse().ok().filter(|version| *version > 0)?;
    (version.to_string() == text).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn a_version_has_one_spelling() {
        assert_eq!(parse_version("12"), Some(12));
        for wrong in ["0", "01", "+1", "-1", "1.0", "", "99999999999"] {
            assert_eq!(parse_version(wrong), None, "{wrong}");
        }
    }
}
