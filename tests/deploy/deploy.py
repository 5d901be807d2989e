"""Deploys the templates into a local AWS and uses what they made.

`deploy.py` deploys, goes through the whole journey over the API's endpoint, deploys again without and with a change,
closes the way round the edge, and does it once more with IAM enforced, where a function without one of its actions fails
and all others go on.
"""

import hashlib
import sys
import time

from drill import drill
from emulator import Deployment, running
from expand import ROOT
from journey import Refused, Visitor, bring_batch, whole_journey
from redrive import redrives

DEMO = ROOT / "demo" / "feed"
NUMBER = "012345"


def step(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def api_of(deployment):
    return deployment.outputs["ApiId"]


def prepare(deployment, change=lambda resources: None):
    """Deploys into an empty account, with the first keys and the first batch."""
    deployment.deploy(change)
    assert deployment.invoke("RotateKeysFunction", {})["keys"] >= 1
    report = bring_batch(deployment, DEMO, "demo")
    assert "refused" not in report and report["posted"] > 100, report
    return api_of(deployment)


def without_iam():
    with running(iam=False) as aws:
        deployment = Deployment(aws)
        step("deploys into an empty account")
        api = prepare(deployment)
        step("the whole journey")
        manager = whole_journey(deployment, api)
        before = manager.call("GET", f"/api/accounts/{NUMBER}/summary")["totals"]
        reconciled = deployment.invoke("ReconcileFunction", {"account": NUMBER})
        step(f"reconcile says {reconciled}")
        assert reconciled["drift"] == 0 and reconciled["entries"] > 50, reconciled
        step("deploys the same again")
        assert not deployment.deploy(), "an unchanged tree is deployed as a change"
        step("deploys an update over it")
        assert deployment.deploy(longer_time_outs), "a change is not deployed"
        assert api_of(deployment) == api, "the API moved"
        after = manager.call("GET", f"/api/accounts/{NUMBER}/summary")["totals"]
        assert after == before, (before, after)
        step("closes the way round the edge, and opens it again")
        behind_the_edge(deployment, manager)
        step("restores the tables beside those in use, uses them, and goes back")
        drill(deployment, api, manager, NUMBER)
        step("does once more what was given up on")
        redrives(deployment, "demo")


def behind_the_edge(deployment, manager):
    """With the hash of an origin secret every way in is refused that does not bring the secret."""
    secret = "5e" * 32
    # Versions are published anew by a word of the operator's: the template's own follows what samconfig.toml gives.
    assert deployment.deploy(OriginSecretSha256=hashlib.sha256(secret.encode()).hexdigest(), Release="closed")
    ways = [("GET", f"/api/accounts/{NUMBER}/summary", 200), ("GET", "/api/health", 200), ("GET", "/api/nowhere", 404)]
    for method, path, answer in ways:
        for headers in ({}, {"X-Origin-Secret": "00" * 32}):
            refused = manager.call(method, path, expect=421, headers=headers)
            assert refused["type"] == "/problems/misdirected-request", refused
        manager.call(method, path, expect=answer, headers={"X-Origin-Secret": secret})
    assert deployment.deploy(OriginSecretSha256=""), "the way is not opened again"
    manager.call("GET", "/api/health")


def longer_time_outs(resources):
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::Function" and resource["Properties"]["Timeout"] == 10:
            resource["Properties"]["Timeout"] = 11


def without_queries(resources):
    """Takes `dynamodb:Query` from the function that reads ledgers, and nothing else."""
    for policy in resources["QueryLedgerRole"]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            statement["Action"] = [action for action in statement["Action"] if action != "dynamodb:Query"]
        statements = policy["PolicyDocument"]["Statement"]
        policy["PolicyDocument"]["Statement"] = [statement for statement in statements if statement["Action"]]


def with_iam():
    with running(iam=True) as aws:
        deployment = Deployment(aws)
        step("deploys where IAM is enforced")
        api = prepare(deployment)
        step("the whole journey")
        manager = whole_journey(deployment, api)
        step("takes one action from one function")
        assert deployment.deploy(without_queries)
        manager.call("GET", f"/api/accounts/{NUMBER}/summary", expect=500)
        for path in ("home", "me", "accounts", f"accounts/{NUMBER}/users", f"accounts/{NUMBER}/statement.pdf"):
            manager.call("GET", f"/api/{path}")
        assert deployment.deploy(), "the action is not given back"
        manager.call("GET", f"/api/accounts/{NUMBER}/summary")


def main():
    try:
        without_iam()
        with_iam()
    except Refused as refused:
        sys.exit(f"{refused}")
    step("deployed, used, updated and held to its policies")


if __name__ == "__main__":
    main()
