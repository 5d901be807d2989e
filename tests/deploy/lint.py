"""The gate: what cfn-lint and checkov find in the expanded templates, at warning or above, fails it; and so does a stage
of samconfig.toml that gives a template what it does not take.

`lint.py` holds the project's templates against it; `lint.py --gate` seeds mistakes into copies and expects each to be
found by name, so that a gate that lets everything through is seen.
"""

import argparse
import copy
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from samtranslator.model.exceptions import InvalidDocumentException

from expand import ROOT, expanded, parsed

REGION = "eu-west-3"
# The template says which rules of checkov it skips, and why: no more than this.
MOST_SKIPPED_RULES = 3
# Of a finding that the gate shows.
WIDTH = 160


def source():
    """The templates of the project as they are written: name -> template."""
    paths = [ROOT / "template.yaml", *sorted((ROOT / "infra").glob("*.yaml"))]
    return {path.relative_to(ROOT).as_posix(): parsed(path) for path in paths}


def skipped(templates):
    """The rules of checkov that the root template skips: id -> reason."""
    rules = templates["template.yaml"].get("Metadata", {}).get("checkov", {}).get("skip", [])
    return {rule["id"]: rule["comment"] for rule in rules}


def as_cloudformation(templates):
    """What CloudFormation gets, and what of it the transform refuses already."""
    ready, refused = {}, []
    for name, template in templates.items():
        if "Transform" not in template:
            ready[name] = template
            continue
        try:
            ready[name] = expanded(copy.deepcopy(template))
        except InvalidDocumentException as error:
            refused += [f"{name}: transform: {cause.message}" for cause in error.causes]
    for template in ready.values():
        resources = template["Resources"]
        invoked = [body["Properties"] for body in resources.values() if body["Type"] == "AWS::Lambda::EventInvokeConfig"]
        configured = {f"{config['FunctionName']['Ref']}Alias{config['Qualifier']}" for config in invoked}
        for resource in resources.values():
            # The rule knows functions and not their aliases: what becomes of what fails is said of the alias.
            if resource["Type"] == "AWS::Lambda::Permission" and resource["Properties"]["FunctionName"]["Ref"] in configured:
                resource.setdefault("Metadata", {})["cfn-lint"] = {"config": {"ignore_checks": ["ES1007"]}}
            # A queue's own redrive policy says what becomes of what fails, and a rule asks for that; the mapping
            # of a queue has no place for a destination. SAM has none for Metadata on what it makes.
            if resource["Type"] == "AWS::Lambda::EventSourceMapping" and "ScalingConfig" in resource["Properties"]:
                resource.setdefault("Metadata", {})["cfn-lint"] = {"config": {"ignore_checks": ["ES1001"]}}
    return ready, refused


def with_access_logs(template):
    """The template as checkov understands it: of a distribution's access logs it knows the older kind only, of which one
    cannot choose the fields. A delivery of the newer kind is shown to it as one."""
    resources = copy.deepcopy(template["Resources"])
    kinds = {kind: [body["Properties"] for body in resources.values() if body["Type"] == f"AWS::Logs::{kind}"]
             for kind in ("DeliverySource", "Delivery")}
    delivered = [json.dumps(delivery["DeliverySourceName"]) for delivery in kinds["Delivery"]]
    sources = [json.dumps(source["ResourceArn"]) for source in kinds["DeliverySource"]
               if source["LogType"] == "ACCESS_LOGS" and json.dumps(source["Name"]) in delivered]
    for name, body in resources.items():
        if body["Type"] == "AWS::CloudFront::Distribution" and any("${" + name + "}" in source for source in sources):
            body["Properties"]["DistributionConfig"]["Logging"] = {"Bucket": "delivered"}
    return template | {"Resources": resources}


def wildcards(templates):
    """Statements of IAM that allow any action or any resource; checkov looks at the first of a policy only."""
    found = []
    for name, template in templates.items():
        for resource, body in template["Resources"].items():
            if not body["Type"].startswith("AWS::IAM::"):
                continue
            properties = body["Properties"]
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
            for statement in (statement for document in documents for statement in listed(document["Statement"])):
                found += [f"{name}: wildcard {resource}: allows {action}" for action in listed(statement.get("Action", "*"))
                          if "*" in str(action)]
                found += [f"{name}: wildcard {resource}: on any resource" for its in listed(statement.get("Resource", "*"))
                          if its == "*"]
    return found


def listed(value):
    return value if isinstance(value, list) else [value]


def findings(templates):
    """What is wrong with templates, a line each."""
    ready, found = as_cloudformation(templates)
    found += wildcards(ready)
    skip = skipped(templates)
    if len(skip) > MOST_SKIPPED_RULES:
        found.append(f"template.yaml: skips {len(skip)} rules of checkov; {MOST_SKIPPED_RULES} may be")
    found += [f"template.yaml: skips {rule} without a reason" for rule, reason in skip.items() if len(reason) < 20]
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for name, template in ready.items():
            path = Path(folder) / (name.replace("/", "-").removesuffix(".yaml") + ".json")
            path.write_text(json.dumps(template, indent=1, default=str), encoding="utf-8")
            files[str(path)] = name
        found += cfn_lint(files)
        for path, name in files.items():
            Path(path).write_text(json.dumps(with_access_logs(ready[name]), indent=1, default=str), encoding="utf-8")
        found += checkov(folder, files, skip)
    return sorted(found)


def stages():
    """What samconfig.toml deploys: environment -> its template and the values of its parameters."""
    found = {}
    for name, commands in tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8")).items():
        if isinstance(commands, dict) and "deploy" in commands:
            deploy = commands["deploy"]["parameters"]
            pairs = (pair.split("=", 1) for pair in deploy["parameter_overrides"])
            # `Key=""` is how sam takes an empty value; a parameter that is not there keeps the value that it had.
            values = {key: value.strip('"') for key, value in pairs}
            found[name] = (deploy.get("template_file", "template.yaml"), values)
    return found


def misconfigured(templates, configured):
    """What the stages give that the templates do not take, or do not give that they need."""
    found = []
    for stage, (name, values) in configured.items():
        parameters = templates[name]["Parameters"]
        for parameter, value in values.items():
            if problem := refusal(parameters.get(parameter), value):
                found.append(f"samconfig.toml: {stage}: {parameter}={value}: {problem}")
        # A secret is typed, never written down.
        needed = {key for key, body in parameters.items() if "Default" not in body and not body.get("NoEcho")}
        found += [f"samconfig.toml: {stage}: {parameter} is not given" for parameter in sorted(needed - set(values))]
        found += [f"samconfig.toml: {stage}: {parameter} is a secret" for parameter in values
                  if parameters.get(parameter, {}).get("NoEcho")]
    wanted = configuration(templates["template.yaml"], configured)
    described = str(templates["template.yaml"]["Globals"]["Function"]["Description"])
    if wanted not in described:
        found.append(
            f"template.yaml: Globals.Function.Description: what functions are given has changed: write `{wanted}` there, "
            "so that their versions are published anew"
        )
    return found


def refusal(parameter, value):
    """Why a template does not take a value; None where it does."""
    if parameter is None:
        return "there is no such parameter"
    allowed = parameter.get("AllowedValues")
    if allowed and value not in [str(one) for one in allowed]:
        return f"none of {allowed}"
    if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], value):
        return f"not of the pattern {parameter['AllowedPattern']}"
    if parameter["Type"] == "Number":
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
            return "no number"
        if not parameter.get("MinValue", float("-inf")) <= float(value) <= parameter.get("MaxValue", float("inf")):
            return "out of its bounds"
    return None


def configuration(template, configured):
    """The word that stands for the values which functions get from the parameters of all stages."""
    functions = [body for body in template["Resources"].values() if body["Type"] == "AWS::Serverless::Function"]
    described = json.dumps([template["Globals"], functions], default=str)
    used = sorted(name for name in template["Parameters"]
                  if f'{{"Ref": "{name}"}}' in described or "${" + name + "}" in described)
    given = {stage: {name: values.get(name) for name in used}
             for stage, (file, values) in configured.items() if file == "template.yaml"}
    defaults = {name: template["Parameters"][name].get("Default") for name in used}
    text = json.dumps([defaults, given], sort_keys=True)
    return f"configuration {hashlib.sha256(text.encode()).hexdigest()[:8]}"


def tool(name, *arguments):
    """Runs a tool of this environment; it says itself whether it found something, so its code is not looked at."""
    environment = os.environ | {"AWS_DEFAULT_REGION": REGION, "PYTHONWARNINGS": "ignore", "LOG_LEVEL": "ERROR"}
    done = subprocess.run(
        [Path(sys.executable).with_name(name), *arguments], capture_output=True, text=True, env=environment, check=False
    )
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f"{name} gave no JSON (exit {done.returncode}):\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def cfn_lint(files):
    rules = ["--append-rules", "cfn_lint_serverless.rules"]
    matches = tool("cfn-lint", "--format", "json", "--regions", REGION, *rules, "--template", *files)
    return [
        f"{files[match['Filename']]}: {match['Rule']['Id']} {place(match)}: {match['Message']}"
        for match in matches
        if match["Level"] in ("Warning", "Error")
    ]


def place(match):
    path = [str(step) for step in match["Location"].get("Path") or []]
    return path[1] if path[:1] == ["Resources"] and len(path) > 1 else "/".join(path)


def checkov(folder, files, skip):
    skipping = ["--skip-check", ",".join(skip)] if skip else []
    reports = tool(
        "checkov", "--directory", folder, "--framework", "cloudformation", "--output", "json", "--compact", "--quiet",
        "--skip-download", *skipping,
    )
    found = []
    for report in reports if isinstance(reports, list) else [reports]:
        if "results" not in report:
            sys.exit(f"checkov looked at nothing: {report}")
        for error in report["results"].get("parsing_errors", []):
            found.append(f"{error}: checkov cannot read it")
        for check in report["results"]["failed_checks"]:
            path = str(Path(folder) / check["file_path"].lstrip("/"))
            found.append(f"{files[path]}: {check['check_id']} {check['resource']}: {check['check_name']}")
    return found


def wrong_ref(templates):
    variables = templates["template.yaml"]["Resources"]["HomeFunction"]["Properties"]["Environment"]["Variables"]
    variables["HELP_URL"] = {"Ref": "HelpUlr"}


def unknown_runtime(templates):
    templates["template.yaml"]["Globals"]["Function"]["Runtime"] = "provided.al2032"


def any_action(templates):
    policy = templates["template.yaml"]["Resources"]["HomeRole"]["Properties"]["Policies"][0]
    policy["PolicyDocument"]["Statement"][-1]["Action"] = "*"


def any_resource(templates):
    policy = templates["template.yaml"]["Resources"]["HomeRole"]["Properties"]["Policies"][0]
    policy["PolicyDocument"]["Statement"][-1]["Resource"] = "*"


def no_dead_letters(templates):
    events = templates["template.yaml"]["Resources"]["SendMailFunction"]["Properties"]["Events"]
    del events["Outbox"]["Properties"]["DestinationConfig"]


def one_skip_more(templates):
    templates["template.yaml"]["Metadata"]["checkov"]["skip"].append({"id": "CKV_AWS_158", "comment": "It costs a key."})


def no_retries(templates):
    del templates["template.yaml"]["Resources"]["ImportFeedFunction"]["Properties"]["EventInvokeConfig"]


def no_access_logs(templates):
    del templates["infra/edge.yaml"]["Resources"]["AccessLogsDelivery"]


def old_tls(templates):
    config = templates["infra/edge.yaml"]["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    config["ViewerCertificate"]["MinimumProtocolVersion"] = "TLSv1.1_2016"


def public_pages(templates):
    templates["infra/web.yaml"]["Resources"]["PagesBucket"]["Properties"]["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] = False


# What each mistake has to be found as: a rule, and the resource or the property that it names; and the template.
MISTAKES = [
    (wrong_ref, ("E1020", "HomeFunction", "HelpUlr"), "template.yaml"),
    (unknown_runtime, ("E3030", "provided.al2032"), "template.yaml"),
    (any_action, ("wildcard", "HomeRole", "allows *"), "template.yaml"),
    (any_resource, ("wildcard", "HomeRole", "any resource"), "template.yaml"),
    (no_dead_letters, ("ES1001", "SendMailFunctionOutbox"), "template.yaml"),
    (one_skip_more, ("skips", "rules of checkov"), "template.yaml"),
    (no_retries, ("ES1007", "ImportFeedFunctionBatchArrivedPermission"), "template.yaml"),
    (no_access_logs, ("CKV_AWS_86", "Distribution"), "infra/edge.yaml"),
    (old_tls, ("CKV_AWS_174", "Distribution"), "infra/edge.yaml"),
    (public_pages, ("CKV_AWS_54", "PagesBucket"), "infra/web.yaml"),
]


def unknown_parameter(configured):
    configured["prod"][1]["AlarmMail"] = "a@b.example"


def value_out_of_bounds(configured):
    configured["prod"][1]["FirstView"] = "1066"


def value_that_is_not_allowed(configured):
    configured["dev"][1]["DeploymentType"] = "Canary"


def parameter_that_is_missing(configured):
    del configured["staging"][1]["PortalOrigin"]


def value_that_functions_would_not_get(configured):
    configured["prod"][1]["HelpUrl"] = "https://aide.example/"


# The same of what samconfig.toml says.
MISTAKES_OF_STAGES = [
    (unknown_parameter, ("prod", "AlarmMail", "no such parameter")),
    (value_out_of_bounds, ("prod", "FirstView", "bounds")),
    (value_that_is_not_allowed, ("dev", "DeploymentType", "none of")),
    (parameter_that_is_missing, ("staging", "PortalOrigin", "not given")),
    (value_that_functions_would_not_get, ("Description", "configuration")),
]


def mistaken(seed, name):
    """The template that a mistake is seeded into, beside the root one."""
    templates = {key: body for key, body in source().items() if key in ("template.yaml", name)}
    seed(templates)
    if name != "template.yaml":
        # It says which rules are skipped, and is not looked at again.
        templates["template.yaml"] = {"Metadata": templates["template.yaml"]["Metadata"], "Resources": {}}
    return templates


def gate():
    """Each mistake is found; gives how many are not."""
    missed = 0

    def judge(seed, found, marks):
        caught = [line for line in found if all(mark in line for mark in marks)]
        print(f"{seed.__name__}: {caught[0][:WIDTH] if caught else 'NOT FOUND'}", flush=True)
        return not caught

    # The linters take ten seconds each.
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        found = pool.map(findings, [mistaken(seed, name) for seed, _, name in MISTAKES])
        for (seed, marks, _), lines in zip(MISTAKES, found, strict=True):
            missed += judge(seed, lines, marks)
    for seed, marks in MISTAKES_OF_STAGES:
        configured = stages()
        seed(configured)
        missed += judge(seed, misconfigured(source(), configured), marks)
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gate", action="store_true", help="seed mistakes and expect each to be found")
    if parser.parse_args().gate:
        missed = gate()
        seeded = len(MISTAKES) + len(MISTAKES_OF_STAGES)
        print(f"{seeded - missed} of {seeded} mistakes found")
        sys.exit(1 if missed else 0)
    found = findings(source()) + misconfigured(source(), stages())
    for line in found:
        print(line)
    print(f"{len(found)} findings in {len(source())} templates")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
