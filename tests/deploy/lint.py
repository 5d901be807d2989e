"""The gate: what cfn-lint and checkov find in the expanded templates, at warning or above, fails it.

`lint.py` holds the project's templates against it; `lint.py --gate` seeds mistakes into copies and expects each to be
found by name, so that a gate that lets everything through is seen.
"""

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
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
        for resource in template["Resources"].values():
            # A queue's own redrive policy says what becomes of what fails, and a rule asks for that; the mapping
            # of a queue has no place for a destination. SAM has none for Metadata on what it makes.
            if resource["Type"] == "AWS::Lambda::EventSourceMapping" and "ScalingConfig" in resource["Properties"]:
                resource.setdefault("Metadata", {})["cfn-lint"] = {"config": {"ignore_checks": ["ES1001"]}}
    return ready, refused


def findings(templates):
    """What is wrong with templates, a line each."""
    ready, found = as_cloudformation(templates)
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
        found += cfn_lint(files) + checkov(folder, files, skip)
    return sorted(found)


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
    policy = templates["template.yaml"]["Resources"]["HomeFunction"]["Properties"]["Policies"][-1]
    policy["Statement"][0]["Action"] = "*"


def no_dead_letters(templates):
    events = templates["template.yaml"]["Resources"]["SendMailFunction"]["Properties"]["Events"]
    del events["Outbox"]["Properties"]["DestinationConfig"]


def one_skip_more(templates):
    templates["template.yaml"]["Metadata"]["checkov"]["skip"].append({"id": "CKV_AWS_158", "comment": "It costs a key."})


# What each mistake has to be found as: a rule, and the resource or the property that it names.
MISTAKES = [
    (wrong_ref, ("E1020", "HomeFunction", "HelpUlr")),
    (unknown_runtime, ("E3030", "provided.al2032")),
    (any_action, ("CKV_AWS_63", "HomeFunctionRole")),
    (no_dead_letters, ("ES1001", "SendMailFunctionOutbox")),
    (one_skip_more, ("skips", "rules of checkov")),
]


def gate():
    """Each mistake is found; gives how many are not."""
    missed = 0
    for seed, marks in MISTAKES:
        templates = {"template.yaml": source()["template.yaml"]}
        seed(templates)
        caught = [line for line in findings(templates) if all(mark in line for mark in marks)]
        print(f"{seed.__name__}: {caught[0][:WIDTH] if caught else 'NOT FOUND'}", flush=True)
        missed += not caught
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gate", action="store_true", help="seed mistakes and expect each to be found")
    if parser.parse_args().gate:
        missed = gate()
        print(f"{len(MISTAKES) - missed} of {len(MISTAKES)} mistakes found")
        sys.exit(1 if missed else 0)
    found = findings(source())
    for line in found:
        print(line)
    print(f"{len(found)} findings in {len(source())} templates")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
