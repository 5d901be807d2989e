//! The built pages, as CloudFront serves them from S3: `/` is `index.html`, `/mot-de-passe` is `mot-de-passe.html` and so
//! on, everything else is itself. They are read when they are asked for, so a build is served at once.

use std::fs;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};

use crate::edge::Edge;

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

    /// The page at a URL-decoded path, if there is one. It is looked up in the list, so there is no path out of the
    /// folder. Where nothing was built, whatever is not the API's answers that.
    pub(crate) fn answer(&self, method: &Method, path: &str, edge: &Edge) -> Option<Response<Body>> {
        if !matches!(*method, Method::GET | Method::HEAD) || edge.is_of_the_api(path) {
            return None;
        }
        let pages = match self.list() {
            Ok(pages) => pages,
            Err(problem) => return Some(not_built(&problem)),
        };
        let page = find(&pages, path)?;
        let mut response = Response::new(Body::from(fs::read(&page.file).ok()?));
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

fn find<'a>(pages: &'a [Page], path: &str) -> Option<&'a Page> {
    let key = match path.strip_prefix('/')? {
        "" => "index.html",
        key => key,
    };
    pages.iter().find(|page| page.key == key)
}

fn not_built(problem: &NotBuilt) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{problem}\n")));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
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
        for file in ["adresse.html", "assets/a-1.css", "index.html"] {
            fs::write(folder.path().join(file), file).unwrap();
        }
        let pages = Pages::of(folder.path().to_owned());
        (folder, pages)
    }

    #[test]
    fn pages_are_found_as_the_distribution_finds_them() {
        let (_folder, pages) = built();
        let pages = pages.list().unwrap();
        for (path, file) in [
            ("/", "index.html"),
            ("/index.html", "index.html"),
            ("/adresse", "adresse.html"),
            ("/assets/a-1.css", "assets/a-1.css"),
        ] {
            assert_eq!(fs::read(&find(&pages, path).unwrap().file).unwrap(), file.as_bytes(), "{path}");
        }
        for path in
            ["/other", "/../template.yaml", "/assets/../index.html", "/assets", "//index.html", "", "/adresse.html"]
        {
            assert!(find(&pages, path).is_none(), "{path}");
        }
    }

    #[test]
    fn what_has_a_hash_in_its_name_is_kept_for_good_and_documents_are_asked_for_anew() {
        let (_folder, pages) = built();
        let kept: Vec<_> = pages.list().unwrap().into_iter().map(|page| (page.key, page.cache_control)).collect();
        let expected = [("assets/a-1.css", ASSETS), ("adresse", DOCUMENTS), ("index.html", DOCUMENTS)];
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
        let edge = Edge::of_project().unwrap();
        assert!(pages.answer(&Method::GET, "/api/health", &edge).is_none());
        let answer = pages.answer(&Method::GET, "/mot-de-passe", &edge).unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let text = axum::body::to_bytes(answer.into_body(), 1000).await.unwrap();
        assert!(std::str::from_utf8(&text).unwrap().ends_with("`make pages` builds them\n"), "{text:?}");
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
