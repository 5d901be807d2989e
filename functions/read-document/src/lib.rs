//! The legal documents, for everybody to read: as JSON for programs (`GET /api/documents/{kind}` and
//! `/{kind}/{version}`), and as pages (`GET /documents/{slug}` and `/{slug}/{version}`).

mod markdown;
mod page;

use portal::domain::DocumentKind;
use portal::environment::{Environment, StartError};
use portal::http::{Answer, Call, HtmlPage, Problem};
use portal::lambda::HttpFunction;
use portal::store::{Store, Table, current_text, document_version};

/// How long a text in force may be kept. A minute: whoever accepts one that was replaced meanwhile is told so.
const CURRENT: &str = "public, max-age=60";

/// How long a version may be kept: it never changes.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// How long the page of a version may be kept. What it looks like may change with the next release.
const PAGE: &str = "public, max-age=3600";

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
        match call.route.as_str() {
            "GET /api/documents/{kind}" => {
                let kind = DocumentKind::parse(call.path("kind")).ok_or(Problem::NotFound)?;
                let document = current_text(&self.store, kind).await?;
                Ok(Answer::ok(document.as_ref())?.cacheable(CURRENT))
            }
            "GET /api/documents/{kind}/{version}" => {
                let kind = DocumentKind::parse(call.path("kind")).ok_or(Problem::NotFound)?;
                let version = parse_version(call.path("version")).ok_or(Problem::NotFound)?;
                let document = document_version(&self.store, kind, version).await?.ok_or(Problem::NotFound)?;
                Ok(Answer::ok(document.as_ref())?.cacheable(FOR_GOOD))
            }
            "GET /documents/{slug}" => {
                let Some(kind) = DocumentKind::parse_slug(call.path("slug")) else {
                    return Ok(Answer::page(page::not_found()));
                };
                let page = page::of_document(current_text(&self.store, kind).await?.as_ref(), true);
                Ok(answered(page, call).cacheable(CURRENT))
            }
            "GET /documents/{slug}/{version}" => {
                let named = DocumentKind::parse_slug(call.path("slug")).zip(parse_version(call.path("version")));
                let document = match named {
                    Some((kind, version)) => document_version(&self.store, kind, version).await?,
                    None => None,
                };
                match document {
                    Some(document) => Ok(answered(page::of_document(document.as_ref(), false), call).cacheable(PAGE)),
                    None => Ok(Answer::page(page::not_found())),
                }
            }
            _ => Err(Problem::NotFound),
        }
    }
}

fn answered(page: HtmlPage, call: &Call) -> Answer {
    Answer::page(page.unless_known(call.header("if-none-match")))
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
