//! The built pages, as CloudFront serves them from S3: a document has its name without `.html` for its key, and the
//! distribution finds it by its addresses. They are read when they are asked for, so a build is served at once.

use std::fs;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};

use crate::edge::{Destination, Edge};

/// Where `make pages` puts them.
const BUILT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/dist");

/// Documents have names that stay the same from release to release, so each is asked for anew, and answered with "not
/// modified".
const DOCUMENTS: &str = "no-cache";
/// What documents load has the hash of its content in its name: under that name it never changes.
const ASSETS: &str = "public, max-age=31536000, immutable";

/// The folder that the pages were built into.
#[derive(Debug, Clone)]
pub struct Pages {
    folder: PathBuf,
}

/// There are no pages in their folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pages are not built ({} is not there): `make pages` builds them", .document.display())]
pub struct NotBuilt {
    document: PathBuf,
}

/// A page or what it loads, as it is put into the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its key there: its path on the portal's origin.
    pub key: String,
    /// Its file.
    pub file: PathBuf,
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Its `Cache-Control`.
    pub cache_control: &'static str,
}

impl Default for Pages {
    fn default() -> Self {
        Self { folder: fs::canonicalize(BUILT).unwrap_or_else(|_| PathBuf::from(BUILT)) }
    }
}

impl Pages {
    /// The pages in a folder.
    #[must_use]
    pub fn of(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Every page after what pages load, in the order in which they are put into the bucket: no document is there
    /// before what it loads.
    ///
    /// # Errors
    /// Where there is no front page: nothing was built, or elsewhere.
    pub fn list(&self) -> Result<Vec<Page>, NotBuilt> {
        let document = self.folder.join("index.html");
        if !document.is_file() {
            return Err(NotBuilt { document });
        }
        let mut pages = Vec::new();
        collect(&self.folder, "", &mut pages);
        pages.sort_by_cached_key(|page| (page.cache_control != ASSETS, page.key.clone()));
        Ok(pages)
    }

    /// What the distribution answers at a URL-decoded path; nothing where it leaves that to the API. A page is looked up in
    /// the list, so there is no path out of the folder. Where nothing was built, whatever is not the API's answers that.
    pub(crate) fn answer(&self, method: &Method, path: &str, edge: &Edge) -> Option<Response<Body>> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        let (status, key) = match edge.destination(path) {
            Destination::Api => return None,
            Destination::Redirect(address) => return Some(redirect(address)),
            Destination::Page(key) | Destination::Asset(key) => (StatusCode::OK, key),
            Destination::NotFound(key) => (StatusCode::NOT_FOUND, key),
        };
        let pages = match self.list() {
            Ok(pages) => pages,
            Err(problem) => return Some(text(StatusCode::SERVICE_UNAVAILABLE, &problem.to_string())),
        };
        let missing = || Some(text(StatusCode::NOT_FOUND, &format!("{key} is not among the built pages")));
        let Some(page) = pages.iter().find(|page| page.key == key) else { return missing() };
        let Ok(content) = fs::read(&page.file) else { return missing() };
        let mut response = Response::new(Body::from(content));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.extend(edge.headers.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(page.content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(page.cache_control));
        Some(response)
    }
}

/// Adds the files below a folder; one that cannot be read is not there.
fn collect(folder: &Path, prefix: &str, pages: &mut Vec<Page>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (file, name) = (entry.path(), entry.file_name());
        let Some(name) = name.to_str() else { continue };
        let path = format!("{prefix}{name}");
        if file.is_dir() {
            collect(&file, &format!("{path}/"), pages);
        } else {
            pages.push(page(&path, file));
        }
    }
}

fn page(path: &str, file: PathBuf) -> Page {
    // The root of the distribution names a key, so that page keeps its whole name.
    let key = if path == "index.html" { path } else { path.strip_suffix(".html").unwrap_or(path) };
    let cache_control = if path.starts_with("assets/") { ASSETS } else { DOCUMENTS };
    Page { key: key.to_owned(), file, content_type: content_type(path), cache_control }
}

fn redirect(address: &str) -> Response<Body> {
    let mut response = text(StatusCode::SEE_OTHER, "");
    if let Ok(address) = HeaderValue::from_str(address) {
        response.headers_mut().insert(header::LOCATION, address);
    }
    response
}

/// An answer that is no page.
fn text(status: StatusCode, words: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{words}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built() -> (tempfile::TempDir, Pages) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("assets")).unwrap();
        for file in ["adresse.html", "assets/a-1.css", "index.html", "introuvable.html"] {
            fs::write(folder.path().join(file), file).unwrap();
        }
        let pages = Pages::of(folder.path().to_owned());
        (folder, pages)
    }

    /// What answers a GET: status, cache control, body.
    async fn get(pages: &Pages, path: &str) -> Option<(u16, String, String)> {
        let answer = pages.answer(&Method::GET, path, &Edge::of_project().unwrap())?;
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, 1000).await.unwrap();
        let cache = parts.headers[header::CACHE_CONTROL].to_str().unwrap().to_owned();
        Some((parts.status.as_u16(), cache, String::from_utf8(body.to_vec()).unwrap()))
    }

    #[tokio::test]
    async fn pages_are_found_as_the_distribution_finds_them() {
        let (_folder, pages) = built();
        for (path, file, cache) in [
            ("/", "index.html", DOCUMENTS),
            ("/adresse", "adresse.html", DOCUMENTS),
            ("/assets/a-1.css", "assets/a-1.css", ASSETS),
        ] {
            assert_eq!(get(&pages, path).await.unwrap(), (200, cache.to_owned(), file.to_owned()), "{path}");
        }
        for path in ["/other", "/../template.yaml", "//index.html", "", "/adresse.html", "/introuvable"] {
            let expected = (404, DOCUMENTS.to_owned(), "introuvable.html".to_owned());
            assert_eq!(get(&pages, path).await.unwrap(), expected, "{path}");
        }
        for path in ["/assets/../index.html", "/assets/b.css", "/mot-de-passe"] {
            assert_eq!(get(&pages, path).await.unwrap().0, 404, "{path}: routed, but not built");
        }
        assert_eq!(get(&pages, "/api/nowhere").await, None, "the API says that itself");
    }

    #[tokio::test]
    async fn an_address_that_programs_know_leads_to_its_page() {
        let (_folder, pages) = built();
        let edge = Edge::of_project().unwrap();
        let answer = pages.answer(&Method::GET, "/.well-known/change-password", &edge).unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(answer.headers()[header::LOCATION], "/#mot-de-passe-oublie");
    }

    #[test]
    fn what_has_a_hash_in_its_name_is_kept_for_good_and_documents_are_asked_for_anew() {
        let (_folder, pages) = built();
        let kept: Vec<_> = pages.list().unwrap().into_iter().map(|page| (page.key, page.cache_control)).collect();
        let expected =
            [("assets/a-1.css", ASSETS), ("adresse", DOCUMENTS), ("index.html", DOCUMENTS), ("introuvable", DOCUMENTS)];
        assert_eq!(kept, expected.map(|(key, cache)| (key.to_owned(), cache)));
    }

    #[test]
    fn only_reading_is_answered() {
        let (_folder, pages) = built();
        let edge = Edge::of_project().unwrap();
        assert!(pages.answer(&Method::HEAD, "/", &edge).is_some());
        assert!(pages.answer(&Method::POST, "/", &edge).is_none());
    }

    #[tokio::test]
    async fn where_nothing_is_built_a_page_says_how_to_and_the_api_answers_itself() {
        let folder = tempfile::tempdir().unwrap();
        let pages = Pages::of(folder.path().to_owned());
        assert_eq!(get(&pages, "/api/health").await, None);
        let (status, _, text) = get(&pages, "/mot-de-passe").await.unwrap();
        assert_eq!(status, 503);
        assert!(text.ends_with("`make pages` builds them\n"), "{text:?}");
    }

    #[test]
    fn every_page_is_of_a_kind_that_browsers_know() {
        let pages = Pages::default().list().unwrap();
        assert!(pages.len() > 10);
        for page in pages {
            assert_ne!(page.content_type, "application/octet-stream", "{}", page.key);
        }
    }
}
