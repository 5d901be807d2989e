//! What stands in front of the portal: whether a request came through it, and from which address.
//!
//! Where CloudFront does, it adds a secret to what it forwards. Whoever reaches the gateway without it went round
//! CloudFront and its firewall, and is refused before a function's own code runs.
//!
//! The address is an argument of the limits on guessing, and of evidence.
//! It is the gateway's `sourceIp`. Behind CloudFront that is CloudFront's own, and the viewer's stands in
//! `CloudFront-Viewer-Address`: a header that anybody can send who reaches the gateway directly, so it is
//! believed only beside the secret that CloudFront adds to what it forwards. No other header counts.

use std::net::{IpAddr, SocketAddr};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use lambda_http::http::HeaderMap;

use crate::domain::from_hex;
use crate::environment::{Environment, StartError};

const VIEWER: &str = "cloudfront-viewer-address";
const SECRET: &str = "x-origin-secret";

/// The variable with the SHA-256 of the origin secret, in hex; two of them, separated by a comma, while
/// one replaces the other; empty where there is no CloudFront. The secret itself has 256 random bits, so
/// its hash is none.
const VARIABLE: &str = "ORIGIN_SECRET_SHA256";

/// What CloudFront adds to a request: nothing where the portal stands without it.
#[derive(Debug, Clone, Default)]
pub struct Edge {
    hashes: Vec<[u8; 32]>,
}

impl Edge {
    /// As the environment says.
    ///
    /// # Errors
    /// Where the variable holds what is no SHA-256.
    pub fn of(environment: &Environment) -> Result<Self, StartError> {
        let text = environment.optional(VARIABLE).unwrap_or_default();
        let hash = |part: &str| {
            from_hex::<32>(part.trim()).ok_or_else(|| StartError::InvalidVariable {
                name: VARIABLE,
                reason: "one or two SHA-256 of 64 lower-case hex digits are needed, separated by a comma".to_owned(),
            })
        };
        let hashes = text.split(',').filter(|part| !part.trim().is_empty()).map(hash).collect::<Result<_, _>>()?;
        Ok(Self { hashes })
    }

    /// Whether a request came through CloudFront, or there is none to come through.
    #[must_use]
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        self.hashes.is_empty() || self.vouches_for(headers)
    }

    /// The address of whoever made a request that came to the gateway from `source`.
    #[must_use]
    pub(super) fn viewer(&self, headers: &HeaderMap, source: Option<IpAddr>) -> Option<IpAddr> {
        if !self.vouches_for(headers) {
            return source;
        }
        let viewer = headers.get(VIEWER).and_then(|value| std::str::from_utf8(value.as_bytes()).ok()).and_then(address);
        viewer.or(source)
    }

    fn vouches_for(&self, headers: &HeaderMap) -> bool {
        let Some(secret) = headers.get(SECRET) else { return false };
        let hash = digest(&SHA256, secret.as_bytes());
        self.hashes.iter().any(|known| verify_slices_are_equal(known, hash.as_ref()).is_ok())
    }
}

/// `198.51.100.10:46532`, or an IPv6 address and port with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    match text.parse::<SocketAddr>() {
        Ok(address) => Some(address.ip()),
        Err(_) => text.rsplit_once(':')?.0.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_viewer_is_believed_with_the_secret_alone() {
        let hash = |secret: &str| digest(&SHA256, secret.as_bytes()).as_ref().try_into().unwrap();
        let edge = Edge { hashes: vec![hash("old secret"), hash("new secret")] };
        let gateway: Option<IpAddr> = Some("192.0.2.1".parse().unwrap());
        let viewer: Option<IpAddr> = Some("198.51.100.10".parse().unwrap());
        let named = (VIEWER, "198.51.100.10:46532");
        for secret in ["old secret", "new secret"] {
            assert_eq!(edge.viewer(&headers(&[named, (SECRET, secret)]), gateway), viewer);
        }
        assert_eq!(edge.viewer(&headers(&[named]), gateway), gateway);
        assert_eq!(edge.viewer(&headers(&[named, (SECRET, "guessed")]), gateway), gateway);
        assert_eq!(Edge::default().viewer(&headers(&[named, (SECRET, "")]), gateway), gateway);
        let forwarded = [("x-forwarded-for", "198.51.100.10"), ("x-real-ip", "198.51.100.10"), (SECRET, "new secret")];
        assert_eq!(edge.viewer(&headers(&forwarded), gateway), gateway);
    }

    #[test]
    fn only_what_came_through_is_admitted_and_everything_where_there_is_nothing_to_come_through() {
        let hash = |secret: &str| digest(&SHA256, secret.as_bytes()).as_ref().try_into().unwrap();
        let edge = Edge { hashes: vec![hash("old secret"), hash("new secret")] };
        assert!(edge.admits(&headers(&[(SECRET, "old secret")])) && edge.admits(&headers(&[(SECRET, "new secret")])));
        for refused in ["", "guessed", "old secre", "old secret ", "OLD SECRET"] {
            assert!(!edge.admits(&headers(&[(SECRET, refused)])), "{refused:?}");
        }
        assert!(!edge.admits(&headers(&[(VIEWER, "198.51.100.10:46532")])));
        assert!(Edge::default().admits(&headers(&[])) && Edge::default().admits(&headers(&[(SECRET, "guessed")])));
    }

    #[test]
    fn addresses_of_both_families_are_read() {
        let six: IpAddr = "2001:db8::7".parse().unwrap();
        for text in ["[2001:db8::7]:443", "2001:db8::7:443", "2001:0db8:0:0:0:0:0:7:46532"] {
            let read = address(text);
            assert!(read.is_some_and(|ip| ip.is_ipv6()), "{text}");
        }
        assert_eq!(address("2001:0db8:0:0:0:0:0:7:46532"), Some(six));
        assert_eq!(address("198.51.100.10"), None);
        assert_eq!(address("evil"), None);
    }
}
