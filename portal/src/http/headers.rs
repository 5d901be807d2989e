//! Headers that several parties fill, read as bytes.
//!
//! Beside our own cookie stand those of other sites of the domain, beside a language that we have those that we do not,
//! in any order and in any bytes: what is ours is found, and nothing of others decides over it. `HeaderValue::to_str`
//! refuses a whole header for one byte that is not ASCII, so nothing here calls it.

use std::borrow::Cow;

use lambda_http::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};

/// Returns all values of a header as one list (RFC 9110, 5.3); what is no UTF-8 shows as U+FFFD.
pub(super) fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.collect::<Vec<Cow<'_, str>>>().join(",")
}

/// Returns the access token of `Authorization: Bearer …`, with any number of spaces or tabs between the two.
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    headers.get_all(AUTHORIZATION).iter().find_map(|value| {
        let value = value.as_bytes().trim_ascii();
        let (scheme, token) = value.split_at(value.iter().position(u8::is_ascii_whitespace)?);
        let token = scheme.eq_ignore_ascii_case(b"bearer").then(|| token.trim_ascii())?;
        std::str::from_utf8(token).ok()
    })
}

/// Returns the values of all cookies of a name, in the order in which they came (RFC 6265, 5.4).
///
/// Only spaces and tabs around a pair are no part of it: a server that takes other spaces away as well reads
/// `<U+2000>__Host-refresh`, which any site of the domain may set, as `__Host-refresh`, which only this one may.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let pair = pair.trim_ascii();
        let (key, value) = pair.split_at(pair.iter().position(|byte| *byte == b'=')?);
        let is_named = key.trim_ascii_end() == name.as_bytes();
        let value = is_named.then(|| value.get(1..).unwrap_or_default().trim_ascii_start())?;
        std::str::from_utf8(value).ok()
    })
}

/// Whether a body is said to be JSON: `application/json` in any case, in UTF-8 where a charset is named. Other
/// parameters mean nothing (RFC 8259, 11), and no other type, such as `application/problem+json`, is read.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter().map(HeaderValue::as_bytes);
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(b"application/json"));
    is_json && parts.all(is_fit)
}

/// Whether a parameter of `Content-Type` leaves a body readable: any but another charset.
fn is_fit(parameter: &[u8]) -> bool {
    let Some(end) = parameter.iter().position(|byte| *byte == b'=') else { return true };
    let (name, value) = parameter.split_at(end);
    let value = value.get(1..).unwrap_or_default();
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    // ASCII is a part of UTF-8.
    !name.eq_ignore_ascii_case(b"charset")
        || [&b"utf-8"[..], b"utf8", b"us-ascii"].iter().any(|known| value.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, values: &[&[u8]]) -> HeaderMap {
        let value = |value: &&[u8]| (name.clone(), HeaderValue::from_bytes(value).unwrap());
        values.iter().map(value).fold(HeaderMap::new(), |mut all, (name, value)| {
            all.append(name, value);
            all
        })
    }

    fn ours(values: &[&[u8]]) -> Vec<String> {
        cookies(&headers(&COOKIE, values), "__Host-refresh").map(str::to_owned).collect()
    }

    #[test]
    fn our_cookie_is_found_beside_any_others_in_any_order() {
        let others: [&[u8]; 8] = [
            b"ville=Orl\xe9ans",
            "nom=Zoé".as_bytes(),
            b"a",
            b"=b",
            b"",
            b"x=\x80\xff",
            b"__Host-refresh2=no",
            b"t=\"a=b\"",
        ];
        for place in 0..=others.len() {
            let mut pairs = others.to_vec();
            pairs.insert(place, b"__Host-refresh=AAAA");
            assert_eq!(ours(&[&pairs.join(&b"; "[..])]), ["AAAA"], "in one line, at {place}");
            assert_eq!(ours(&[&pairs.join(&b';')]), ["AAAA"], "without spaces, at {place}");
            assert_eq!(ours(&pairs), ["AAAA"], "each in a line of its own, at {place}");
        }
    }

    #[test]
    fn no_other_cookie_passes_for_ours() {
        for other in [
            "\u{2000}__Host-refresh=no",
            "\u{a0}__Host-refresh=no",
            "\u{85}__Host-refresh=no",
            "\u{2000}__Host-refresh\u{2000}=no",
            "__host-refresh=no",
            "a=1,__Host-refresh=no",
            "a=\"; b=\"__Host-refresh=no",
            "$Version=1,__Host-refresh=no",
        ] {
            assert!(ours(&[other.as_bytes()]).is_empty(), "{other:?}");
        }
        assert_eq!(ours(&[b"__Host-refresh=one; a=b; __Host-refresh = two", b"__Host-refresh=\xe9"]), ["one", "two"]);
    }

    #[test]
    fn a_bearer_token_is_read_whatever_case_and_spaces() {
        let token = |values: &[&[u8]]| bearer_token(&headers(&AUTHORIZATION, values)).map(str::to_owned);
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c ", "Bearer\ta.b.c", " Bearer a.b.c\t"] {
            assert_eq!(token(&[value.as_bytes()]).as_deref(), Some("a.b.c"), "{value:?}");
        }
        assert_eq!(token(&[b"Basic \xe9", b"Bearer a.b.c"]).as_deref(), Some("a.b.c"));
        for none in [&b""[..], b"Bearer", b"Basic a.b.c", b"Bearera.b.c", b"Bearer \xff"] {
            assert_eq!(token(&[none]), None);
        }
    }

    #[test]
    fn json_is_what_says_so() {
        let said = |values: &[&[u8]]| is_json(&headers(&CONTENT_TYPE, values));
        for json in [
            "application/json",
            "Application/JSON",
            " application/json ; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/json; charset=us-ascii",
            "application/json; odata=verbose; charset=utf8",
            "application/json;",
            "application/json; \u{e9}",
        ] {
            assert!(said(&[json.as_bytes()]), "{json}");
        }
        for other in [
            "",
            "text/plain",
            "text/plain; application/json",
            "text/plain;charset=UTF-8, application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
            "text/json",
            "application/problem+json",
            "application/jsonp",
            "application/json; charset=iso-8859-1",
            "application/json; charset=utf-16",
            "*/*",
        ] {
            assert!(!said(&[other.as_bytes()]), "{other}");
        }
        assert!(!said(&[]) && !said(&[b"text/plain", b"application/json"]) && !said(&[b"application/json\xff"]));
    }

    #[test]
    fn a_list_is_read_around_what_is_no_text() {
        let listed = headers(&COOKIE, &[b"fr;q=0.1, \xff", b"en"]);
        assert_eq!(text(&listed, &COOKIE), "fr;q=0.1, \u{fffd},en");
    }
}
