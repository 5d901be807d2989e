//! A legal document as a page: whole, in French, to be printed, without a script.

use portal::domain::{Document, FUND_ZONE};
use portal::http::HtmlPage;

use crate::markdown::{escaped, to_html};

/// Colours are in pairs of 4.5:1 and more, in both schemes.
const STYLE: &str = ":root{color-scheme:light dark;--page:#fff;--text:#1b2430;--quiet:#4a5666;--line:#d5dae1;--accent:#0b4f8a}
@media(prefers-color-scheme:dark){:root{--page:#11161c;--text:#e8ecf1;--quiet:#b3bdc9;--line:#323c48;--accent:#8ec5ff}}
body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:44rem;background:var(--page);color:var(--text);\
font:1.0625rem/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",\"Liberation Sans\",sans-serif;overflow-wrap:anywhere}
a{color:var(--accent)}
a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{position:static}
h1{line-height:1.2}
h2,h3,h4,h5,h6{margin-top:2rem;line-height:1.3}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;padding:1rem 0;border-block:1px solid var(--line);color:var(--quiet)}
dd{margin:0}
code{font-size:.875rem}
@media(max-width:30rem){dl{grid-template-columns:1fr}}
@media print{:root{color-scheme:light;--page:#fff;--text:#000;--quiet:#000;--line:#000}body{max-width:none;padding:0}\
header,.skip,.other{display:none}h1,h2,h3{break-after:avoid}p,li{orphans:3;widows:3}}
";

/// Returns the page of a version; `is_current` where it was asked for as the one in force.
pub(crate) fn of_document(document: &Document, is_current: bool) -> HtmlPage {
    let Document { kind, version, sha256, title, published_at, body } = document;
    let published = published_at.to_zoned_datetime(FUND_ZONE.clone());
    let (day, date) = (published.strftime("%d/%m/%Y"), published.date());
    let slug = kind.slug();
    let other = if is_current {
        format!("<a href=\"/documents/{slug}/{version}\">Adresse permanente de cette version</a>")
    } else {
        format!("<a href=\"/documents/{slug}\">Lire la version en vigueur</a>")
    };
    let heading = escaped(title);
    let text = to_html(body, title);
    let main = format!(
        "<h1>{heading}</h1>
<dl>
<dt>Version</dt><dd>{version}</dd>
<dt>Publiée le</dt><dd><time datetime=\"{date}\">{day}</time></dd>
<dt>Empreinte SHA-256 du texte</dt><dd><code>{sha256}</code></dd>
</dl>
<p class=\"other\">{other}</p>
{text}"
    );
    HtmlPage::new(whole(&format!("{heading}, version {version}"), &main), STYLE)
}

/// Returns the page of a document that is not there.
pub(crate) fn not_found() -> HtmlPage {
    let main = "<h1>Ce document n’existe pas</h1>
<p>L’adresse est peut-être incomplète, ou cette version n’a pas été publiée.</p>
<ul>
<li><a href=\"/documents/charte\">Charte d’utilisation de l’espace personnalisé</a></li>
<li><a href=\"/documents/conditions-utilisation\">Conditions générales d’utilisation du portail</a></li>
<li><a href=\"/documents/conditions-compte\">Conditions générales du compte adhérent</a></li>
</ul>
";
    HtmlPage::new(whole("Document introuvable", main), STYLE).not_found()
}

/// The whole page; both are HTML.
fn whole(title: &str, main: &str) -> String {
    format!(
        "<!DOCTYPE html>
<html lang=\"fr\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>{title} – Portail adhérents Constructys</title>
<style>{STYLE}</style>
</head>
<body>
<a class=\"skip\" href=\"#texte\">Aller au texte</a>
<header><a href=\"/\">Portail adhérents Constructys</a></header>
<main id=\"texte\" tabindex=\"-1\">
{main}</main>
</body>
</html>
"
    )
}

#[cfg(test)]
mod tests {
    use portal::domain::DocumentKind;

    use super::*;

    #[test]
    fn a_page_says_which_text_it_is() {
        let published = "2026-10-31T23:30:00Z".parse().unwrap();
        let (title, body) = ("Charte <de> l’espace", "# Charte <de> l’espace\n\n## Article 1\n\nSoyez **sages**.");
        let document = Document::new(DocumentKind::Charter, 2, title.to_owned(), body.to_owned(), published);
        let page = of_document(&document, false);
        for part in [
            "<html lang=\"fr\">",
            "<title>Charte &lt;de&gt; l’espace, version 2 – Portail adhérents Constructys</title>",
            "<h1>Charte &lt;de&gt; l’espace</h1>",
            "<time datetime=\"2026-11-01\">01/11/2026</time>",
            document.sha256.as_str(),
            "<h3>Article 1</h3>\n<p>Soyez <strong>sages</strong>.</p>",
            "href=\"/documents/charte\"",
        ] {
            assert!(page.html().contains(part), "{part} is not in {}", page.html());
        }
        assert_eq!(page.html().matches("<h1>").count(), 1, "the title of the text is that of the page");
        assert!(of_document(&document, true).html().contains("href=\"/documents/charte/2\""));
    }

    #[test]
    fn the_page_of_a_document_that_is_not_there_names_those_that_are() {
        for kind in DocumentKind::ALL {
            assert!(not_found().html().contains(&format!("/documents/{}\"", kind.slug())), "{kind}");
        }
    }
}
