"""A local AWS for the test of the deployment, and the deployment into it.

The emulator runs CloudFormation, Lambda (binaries as processes of this machine), API Gateway, DynamoDB with streams, SES,
SQS, S3 and EventBridge on loopback. It is started empty and ended by its process.
"""

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config

from expand import CODE_BUCKET, ROOT
from flatten import flattened

REGION = "eu-west-3"
STACK = "portal"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PARAMETERS = {
    "Stage": "test",
    "PortalOrigin": "https://portal.example",
    "MailFrom": "portail@constructys.example",
    "StaffEmail": "equipe@constructys.example",
    "FeedSources": "demo",
    "Architecture": "x86_64",
    "Tracing": "PassThrough",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Aws:
    """A running emulator."""

    def __init__(self, port, process):
        self.port = port
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 1}, read_timeout=120),
        )

    def mails(self):
        """The mails sent, oldest first."""
        with urllib.request.urlopen(f"{self.url}/_ministack/ses/messages") as answer:
            accounts = json.load(answer)["messages"]
        return [mail for mails in accounts.values() for mail in mails]


@contextlib.contextmanager
def running(*, iam):
    """The emulator, empty; with `iam` it holds every call against the caller's policies."""
    # Who is asked to end ends the emulator too, which has a session of its own.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    port = free_port()
    log = TARGET / "deploy" / "emulator.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # What it unpacks goes with it.
    unpacked = tempfile.TemporaryDirectory(dir=log.parent)
    environment = os.environ | {
        "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "AUTH": str(iam).lower(), "TMPDIR": unpacked.name,
    }
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("ministack")], stdout=output, stderr=subprocess.STDOUT, env=environment,
            start_new_session=True,
        )
    try:
        for _ in range(300):
            if process.poll() is not None:
                sys.exit(f"the emulator ended; its log is {log}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        else:
            sys.exit(f"the emulator answers nobody; its log is {log}")
        yield Aws(port, process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        unpacked.cleanup()


def package(binary):
    """The zip of a function, stripped, for Lambda's glibc: made again only where the binary changed."""
    built = TARGET / "debug" / binary
    packed = TARGET / "deploy" / f"{binary}.zip"
    if packed.exists() and packed.stat().st_mtime > built.stat().st_mtime:
        return packed.read_bytes()
    stripped = packed.with_suffix(".stripped")
    subprocess.run(["strip", "--strip-all", "-o", stripped, built], check=True)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, stripped.read_bytes())
    subprocess.run([ROOT / "tests" / "glibc.sh", stripped], stdout=subprocess.DEVNULL, check=True)
    stripped.unlink()
    packed.write_bytes(content.getvalue())
    return content.getvalue()


def template(url, change=lambda resources: None):
    """What is deployed: the project's template, less what the emulator has nothing for."""
    flat = flattened()
    # The records of an SES identity are made by AWS alone.
    del flat["Outputs"]["MailDnsRecords"]
    for name, resource in list(flat["Resources"].items()):
        properties = resource["Properties"]
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            del flat["Resources"][name]  # no metric math
        if resource["Type"] == "AWS::S3::BucketPolicy":
            del flat["Resources"][name]  # they demand TLS, which nothing on loopback speaks
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            properties.pop("ScalingConfig", None)  # takes numbers, and gets a parameter's text
        if resource["Type"] == "AWS::IAM::Role":
            anywhere(properties.get("Policies", []))
        if resource["Type"] == "AWS::Lambda::Function":
            properties.setdefault("Environment", {}).setdefault("Variables", {})["AWS_ENDPOINT_URL"] = url
    secrets = {name for name, body in flat["Resources"].items() if body["Type"] == "AWS::SecretsManager::Secret"}
    flat["Resources"] = {name: with_arns(body, secrets) for name, body in flat["Resources"].items()}
    change(flat["Resources"])
    return flat


def anywhere(policies):
    """The emulator knows no resource of a mail that is sent, nor from whom it is: it can hold the action alone."""
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            if "ses:SendEmail" in statement["Action"]:
                statement["Resource"] = "*"
                statement.pop("Condition", None)


def with_arns(value, secrets):
    """A reference to a secret is its ARN in AWS and its name in the emulator, which has the ARN as an attribute."""
    if isinstance(value, list):
        return [with_arns(item, secrets) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("Ref") in secrets:
        return {"Fn::GetAtt": [value["Ref"], "Id"]}
    return {key: with_arns(item, secrets) for key, item in value.items()}


class Deployment:
    """The stack in an emulator."""

    def __init__(self, aws):
        self.aws = aws
        self.cloudformation = aws.client("cloudformation")
        self.outputs = {}

    def deploy(self, change=lambda resources: None, **parameters):
        """Creates the stack or updates it, with other parameters where they are given; gives whether anything changed."""
        flat = template(self.aws.url, change)
        s3 = self.aws.client("s3")
        with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=CODE_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
            for resource in flat["Resources"].values():
                if resource["Type"] == "AWS::Lambda::Function":
                    key = resource["Properties"]["Code"]["S3Key"]
                    s3.put_object(Bucket=CODE_BUCKET, Key=key, Body=package(key.removesuffix(".zip")))
        s3.put_object(Bucket=CODE_BUCKET, Key="template.json", Body=json.dumps(flat).encode())
        arguments = {
            "StackName": STACK,
            "TemplateURL": f"{self.aws.url}/{CODE_BUCKET}/template.json",
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in (PARAMETERS | parameters).items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        try:
            if self.outputs:
                self.cloudformation.update_stack(**arguments)
            else:
                self.cloudformation.create_stack(**arguments)
        except self.cloudformation.exceptions.ClientError as error:
            if "No updates are to be performed" in str(error):
                return False
            raise
        self.wait()
        return True

    def wait(self):
        while True:
            (stack,) = self.cloudformation.describe_stacks(StackName=STACK)["Stacks"]
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                break
            time.sleep(0.2)
        if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            events = self.cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
            failed = [f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason')}" for e in events if "FAILED" in e["ResourceStatus"]]
            sys.exit(f"{stack['StackStatus']}: {stack.get('StackStatusReason')} {failed}")
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def physical(self, logical):
        """The name that CloudFormation gave a resource."""
        detail = self.cloudformation.describe_stack_resource(StackName=STACK, LogicalResourceId=logical)
        return detail["StackResourceDetail"]["PhysicalResourceId"]

    def invoke(self, logical, event):
        """Invokes a function and gives its outcome."""
        answer = self.aws.client("lambda").invoke(FunctionName=self.physical(logical), Payload=json.dumps(event).encode())
        outcome = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise AssertionError(f"{logical} failed: {outcome}")
        return outcome
