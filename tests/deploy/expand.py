"""Templates as CloudFormation sees them: the SAM transform done, here and not in AWS.

Linters read SAM's own resources shallowly: a variable of a function that refers to nothing passes, and a policy is not
seen at all. So what is linted, and what the deployment's test deploys, is the expanded template.
"""

import logging
import os
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
# Where a package would put the functions' code; nothing reads it there.
CODE_BUCKET = "code-of-the-functions"

# It warns of its own metrics and switches, which nobody here has.
logging.getLogger("samtranslator").setLevel(logging.ERROR)

# The transform asks a client of AWS for its region.
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-3")


class NoManagedPolicies:
    """Names of managed policies are not looked up: no function has one, as each has a role of its own."""

    def load(self):
        return {}


def parsed(path):
    """A template as it is written, its short forms (`!Ref`) spelled out."""
    return yaml_parse(Path(path).read_text(encoding="utf-8"))


def functions(template):
    """The functions of a SAM template: logical id -> the binary that it is built from."""
    return {
        name: resource["Metadata"]["BuildProperties"]["Binary"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def expanded(template, parameters=None):
    """A SAM template as CloudFormation; `CodeUri` becomes what a package would write there."""
    for name, binary in functions(template).items():
        template["Resources"][name]["Properties"]["CodeUri"] = {"Bucket": CODE_BUCKET, "Key": f"{binary}.zip"}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Application":
            stack = Path(resource["Properties"]["Location"]).name
            resource["Properties"]["Location"] = f"https://s3.eu-west-3.amazonaws.com/{CODE_BUCKET}/{stack}"
    return transform(template, parameters or {}, NoManagedPolicies())
