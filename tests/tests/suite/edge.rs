//! What stands in front of the portal: nothing gets round it, and it serves what the portal serves here.

use std::fs;

use harness::{Contract, Tap, World, folder_of_workspace};
use http::Method;
use local::Options;
use serde_json::json;
use serde_yaml_ng::Value as Yaml;

/// SHA-256 of "correct" and of "previous".
const CORRECT: &str = "15a596e3c98c407e043751ff3b21ff0358a1bdfdf3fe948b1523893a8e5de2e8";
const PREVIOUS: &str = "6da0633528deaa0144e7b058315f0b753ec0b945163a72bf96a0d18180f9de0d";

fn behind_cloudfront(hashes: &str) -> Options {
    let mut options = Options::default();
    options.parameters.insert("OriginSecretSha256".to_owned(), hashes.to_owned());
    options
}

/// Every operation of the contract, and a path that no route has; a parameter is any word.
fn requests() -> Vec<(Method, String)> {
    let operations = Contract::get().operations().into_iter().map(|(method, path, _)| {
        let path: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        (method.parse().unwrap(), path.join("/"))
    });
    operations.chain([(Method::GET, "/wp-login.php".to_owned())]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_round_it_is_refused_everywhere_before_a_function_does_anything() {
    let (tap, mut options) = Tap::on_dynamodb();
    options.parameters = behind_cloudfront(CORRECT).parameters;
    let world = World::empty(options).await;
    world.portal.start_functions().await.unwrap();
    let lines = world.portal.log_lines().len();
    tap.take();
    let stranger = world.visitor();
    let requests = requests();
    assert!(requests.len() > 40, "the contract is not read any more");
    for (method, path) in &requests {
        for headers in [
            &[] as &[(&str, &str)],
            &[("x-origin-secret", "")],
            &[("x-origin-secret", CORRECT)],
            &[("x-origin-secret", "guessed"), ("cloudfront-viewer-address", "198.51.100.10:46532")],
        ] {
            let body = (*method != Method::GET).then(|| json!({"email": "a@b.example"}));
            let reply = stranger.send_with(method.clone(), path, body.as_ref(), headers).await;
            reply.expect_problem(421, "misdirected-request");
        }
    }
    assert_eq!(tap.take().calls.len(), 0, "who is refused causes no call");
    let lines = world.portal.log_lines().split_off(lines);
    assert_eq!(lines.len(), requests.len() * 4, "each leaves its line");
    for line in lines {
        assert_eq!((&line["outcome"], &line["status"]), (&json!("misdirected-request"), &json!(421)), "{line}");
    }
    let through = world.visitor().through("x-origin-secret", "correct");
    through.get("/api/health").await.expect(200);
    through.get("/wp-login.php").await.expect_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_one_secret_replaces_the_other_both_are_taken() {
    let world = World::empty(behind_cloudfront(&format!("{PREVIOUS},{CORRECT}"))).await;
    for secret in ["previous", "correct"] {
        let visitor = world.visitor().through("x-origin-secret", secret);
        visitor.get("/api/documents/terms").await.expect(200);
    }
    let guessing = world.visitor().through("x-origin-secret", "next");
    guessing.get("/api/documents/terms").await.expect_problem(421, "misdirected-request");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_hash_there_is_nothing_to_come_through() {
    let world = World::empty(behind_cloudfront("")).await;
    world.visitor().get("/api/health").await.expect(200);
    world.visitor().through("x-origin-secret", "whatever").get("/api/health").await.expect(200);
}

fn edge() -> Yaml {
    let text = fs::read_to_string(folder_of_workspace().join("infra/edge.yaml")).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

/// The path patterns that the distribution sends to the API, in their order.
fn patterns(edge: &Yaml) -> Vec<String> {
    let config = &edge["Resources"]["Distribution"]["Properties"]["DistributionConfig"];
    assert_eq!(config["DefaultCacheBehavior"]["TargetOriginId"], "pages");
    let behaviours = config["CacheBehaviors"].as_sequence().unwrap();
    let pattern = |behaviour: &Yaml| {
        assert_eq!(behaviour["TargetOriginId"], "api");
        behaviour["PathPattern"].as_str().unwrap().to_owned()
    };
    behaviours.iter().map(pattern).collect()
}

fn fits(pattern: &str, path: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == path, |prefix| path.starts_with(prefix))
}

#[test]
fn every_operation_goes_to_the_api_and_every_page_to_the_pages() {
    let patterns = patterns(&edge());
    let to_api = |path: &str| patterns.iter().find(|pattern| fits(pattern, path)).cloned();
    let mut used: Vec<_> = Contract::get()
        .operations()
        .into_iter()
        .map(|(method, path, _)| to_api(&path).unwrap_or_else(|| panic!("{method} {path} would be a page")))
        .collect();
    used.sort();
    used.dedup();
    assert_eq!(used.len(), patterns.len(), "a pattern that no operation needs");
    assert!(local::pages().count() > 10);
    for page in local::pages() {
        assert_eq!(to_api(&format!("/{}", page.key)), None, "{} would go to the API", page.file);
    }
}

/// What a `!Ref` refers to.
fn reference(value: &Yaml) -> &str {
    match value {
        Yaml::Tagged(tagged) if tagged.tag == "Ref" => tagged.value.as_str().unwrap(),
        other => panic!("{other:?} refers to nothing"),
    }
}

/// The names that a policy of CloudFront takes along.
fn headers_of(policy: &Yaml) -> Vec<String> {
    assert_eq!(policy["HeadersConfig"]["HeaderBehavior"], "whitelist");
    let names = policy["HeadersConfig"]["Headers"].as_sequence().unwrap();
    names.iter().map(|name| name.as_str().unwrap().to_ascii_lowercase()).collect()
}

#[test]
fn what_the_api_reads_of_a_request_reaches_it_and_no_answer_is_given_to_somebody_else() {
    let edge = edge();
    let config = &edge["Resources"]["Distribution"]["Properties"]["DistributionConfig"];
    for behaviour in config["CacheBehaviors"].as_sequence().unwrap() {
        assert_eq!(reference(&behaviour["CachePolicyId"]), "ApiCaching");
        assert_eq!(reference(&behaviour["OriginRequestPolicyId"]), "ApiRequests");
        // Nothing but a page to read may be asked for in the clear, and then again.
        let is_page = behaviour["PathPattern"] == "/documents/*";
        assert_eq!(behaviour["ViewerProtocolPolicy"], if is_page { "redirect-to-https" } else { "https-only" });
    }
    let requests = &edge["Resources"]["ApiRequests"]["Properties"]["OriginRequestPolicyConfig"];
    let caching = &edge["Resources"]["ApiCaching"]["Properties"]["CachePolicyConfig"];
    let key = &caching["ParametersInCacheKeyAndForwardedToOrigin"];
    let mut forwarded = headers_of(requests);
    forwarded.extend(headers_of(key));
    forwarded.sort();
    // What the contract names, and what is read of every request: who sends it from where, with what, and its body's type.
    let mut read: Vec<String> = Contract::get().request_headers().into_iter().collect();
    read.extend(["authorization", "cloudfront-viewer-address", "content-type", "user-agent"].map(str::to_owned));
    read.sort();
    assert_eq!(forwarded, read);
    for policy in [requests, key] {
        assert_eq!(policy["QueryStringsConfig"]["QueryStringBehavior"], "all");
    }
    assert_eq!(requests["CookiesConfig"]["CookieBehavior"], "all");
    // Answers differ by token, language and query: all three are what an answer is kept under, for a second at most.
    assert_eq!(headers_of(key), ["accept-language", "authorization"]);
    assert_eq!((&caching["MinTTL"], &caching["DefaultTTL"], &caching["MaxTTL"]), (&0.into(), &0.into(), &1.into()));
    let methods: Vec<_> = config["CacheBehaviors"][0]["AllowedMethods"].as_sequence().unwrap().iter().collect();
    for (method, path, _) in Contract::get().operations() {
        assert!(methods.contains(&&Yaml::from(method.as_str())), "{method} {path} does not get through");
    }
    let origins = config["Origins"].as_sequence().unwrap();
    let api = origins.iter().find(|origin| origin["Id"] == "api").unwrap();
    assert_eq!(api["OriginCustomHeaders"][0]["HeaderName"], "X-Origin-Secret");
    assert_eq!(edge["Parameters"]["OriginSecret"]["NoEcho"], true);
}

/// A rule that reads a body, or counts its bytes, would refuse a password or a message that the API takes.
#[test]
fn no_rule_of_the_firewall_refuses_a_body_for_what_is_in_it() {
    let edge = edge();
    let rules = edge["Resources"]["Firewall"]["Properties"]["Rules"].as_sequence().unwrap();
    let of_common = ["SizeRestrictions", "CrossSiteScripting", "GenericLFI", "GenericRFI", "EC2MetaDataSSRF"];
    let of_known = ["Log4JRCE", "JavaDeserializationRCE", "ReactJSRCE"];
    for (group, names) in [("CommonAttacks", of_common.as_slice()), ("KnownBadInputs", of_known.as_slice())] {
        let group = rules.iter().find(|rule| rule["Name"] == group).unwrap();
        let counted = group["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"].as_sequence().unwrap();
        for name in names {
            let rule = counted.iter().find(|rule| rule["Name"] == format!("{name}_BODY"));
            assert!(!rule.unwrap_or_else(|| panic!("{name}_BODY refuses"))["ActionToUse"]["Count"].is_null(), "{name}");
        }
    }
    let groups = rules.iter().filter_map(|rule| rule["Statement"]["ManagedRuleGroupStatement"]["Name"].as_str());
    let known = ["AmazonIpReputationList", "KnownBadInputsRuleSet", "CommonRuleSet"];
    assert_eq!(groups.collect::<Vec<_>>(), known.map(|name| format!("AWSManagedRules{name}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_the_headers_that_they_have_behind_it() {
    let world = World::empty(Options::default()).await;
    let http = reqwest::Client::new();
    for page in local::pages() {
        let key = if page.key == "index.html" { "" } else { page.key };
        let answer = http.get(format!("{}/{key}", world.portal.address())).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(answer.status(), 200, "{}", page.key);
        assert_eq!(
            (header("content-type").as_str(), header("cache-control").as_str()),
            (page.content_type, "no-cache")
        );
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("strict-transport-security", "max-age=63072000; includeSubDomains"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(header(name), value, "{} of {}", name, page.key);
        }
    }
}
