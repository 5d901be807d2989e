//! What stands in front of the portal: nothing gets round it, and it serves what the portal serves here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

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
    operations.chain([(Method::GET, "/api/wp-login.php".to_owned())]).collect()
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
    through.get("/api/wp-login.php").await.expect_problem(404, "not-found");
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
    let to_api = behaviours.iter().filter(|behaviour| behaviour["TargetOriginId"] == "api");
    to_api.map(|behaviour| behaviour["PathPattern"].as_str().unwrap().to_owned()).collect()
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
    let pages = local::Pages::default().list().unwrap();
    assert!(pages.len() > 10);
    for page in pages {
        assert_eq!(to_api(&format!("/{}", page.key)), None, "{} would go to the API", page.key);
    }
}

/// What the function at the edge does with paths, as a browser notices it: a status, and the key or the address that it
/// leads to. Its second event sees the viewer's path or the one that it made of it; both must come to the same.
fn routed(edge: &Yaml, paths: &[String]) -> Vec<(u16, String)> {
    let code = edge["Resources"]["PageRouting"]["Properties"]["FunctionCode"].as_str().unwrap();
    let script = format!(
        "{code}
        const routed = {paths}.map((uri) => {{
            const made = handler({{ context: {{ eventType: 'viewer-request' }}, request: {{ uri, headers: {{}} }} }});
            if (made.statusCode) return [made.statusCode, made.headers.location.value];
            const [seen, kept] = [uri, made.uri].map((uri) => handler({{
                context: {{ eventType: 'viewer-response' }}, request: {{ uri }}, response: {{ statusCode: 200 }},
            }}).statusCode);
            return [seen === kept ? seen : 0, made.uri.slice(1)];
        }});
        console.log(JSON.stringify(routed));",
        paths = json!(paths)
    );
    let output = Command::new("node").args(["--eval", &script]).output().expect("Node.js");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The pages that the function knows, with their addresses; and that for what is none.
fn known_pages(edge: &Yaml) -> (BTreeMap<String, Vec<String>>, String) {
    let code = edge["Resources"]["PageRouting"]["Properties"]["FunctionCode"].as_str().unwrap();
    let value = |name: &str| {
        let (_, rest) = code.split_once(&format!("var {name} = ")).unwrap();
        rest.split_once(";\n").unwrap().0.to_owned()
    };
    (serde_json::from_str(&value("PAGES")).unwrap(), serde_json::from_str(&value("NOT_FOUND")).unwrap())
}

#[test]
fn the_function_at_the_edge_knows_every_page_that_is_built_and_no_other() {
    let (pages, not_found) = known_pages(&edge());
    let mut known: Vec<_> = pages.into_keys().chain([not_found]).collect();
    known.sort();
    let built = local::Pages::default().list().unwrap().into_iter().map(|page| page.key);
    let mut documents: Vec<_> = built.filter(|key| !key.starts_with("assets/")).collect();
    documents.sort();
    assert_eq!(known, documents);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_page_is_not_found_in_html_at_the_edge_and_here_alike() {
    let edge = edge();
    let (pages, not_found) = known_pages(&edge);
    let addresses = pages.values().flatten().map(|address| address.replace('*', "x/y?q=1"));
    let others =
        ["/.well-known/change-password", "/wp-login.php", "/introuvable", "/adresse/", "/Adresse", "/constructor"];
    let paths: Vec<String> = addresses.chain(others.map(str::to_owned)).collect();
    let world = World::empty(Options::default()).await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let built = local::Pages::default().list().unwrap();
    let mut statuses = BTreeSet::new();
    for (path, (status, target)) in paths.iter().zip(routed(&edge, &paths)) {
        let answer = http.get(format!("{}{path}", world.portal.address())).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        statuses.insert(status);
        if status == 303 {
            assert_eq!(answer.headers()["location"], target.as_str(), "{path}");
            continue;
        }
        assert_eq!(status == 404, target == not_found, "{path}: {target}");
        let page = built.iter().find(|page| page.key == target).unwrap_or_else(|| panic!("{path}: no page {target}"));
        assert_eq!(answer.headers()["content-type"], page.content_type, "{path}");
        assert_eq!(answer.bytes().await.unwrap(), fs::read(&page.file).unwrap(), "{path}");
    }
    assert_eq!(statuses, BTreeSet::from([200, 303, 404]));
    // No answer of the API is ever replaced.
    world.visitor().get("/api/wp-login.php").await.expect_problem(404, "not-found");
    assert!(edge["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["CustomErrorResponses"].is_null());
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
    let behaviours = config["CacheBehaviors"].as_sequence().unwrap();
    let api: Vec<_> = behaviours.iter().filter(|behaviour| behaviour["TargetOriginId"] == "api").collect();
    for behaviour in &api {
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
    let methods: Vec<_> = api[0]["AllowedMethods"].as_sequence().unwrap().iter().collect();
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
    for page in local::Pages::default().list().unwrap() {
        let key = if page.key == "index.html" { "" } else { page.key.as_str() };
        let answer = http.get(format!("{}/{key}", world.portal.address())).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(answer.status(), if key == "introuvable" { 404 } else { 200 }, "{}", page.key);
        assert_eq!(
            (header("content-type").as_str(), header("cache-control").as_str()),
            (page.content_type, page.cache_control)
        );
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                 require-trusted-types-for 'script'; trusted-types svelte-trusted-html",
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
