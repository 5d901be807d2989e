"""What the operators' commands share: the AWS CLI, and a deployed portal as they see it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

# How many calls of the CLI go beside each other.
AT_ONCE = 4


class Failure(Exception):
    """What ends the command: said to whoever runs it, in one line."""


class Aws:
    """The AWS CLI. What changes something is not called in a dry run, and says so."""

    def __init__(self, options):
        self.common = ["--output", "json"]
        for name in ("profile", "region", "endpoint_url"):
            if getattr(options, name):
                self.common += ["--" + name.replace("_", "-"), getattr(options, name)]
        self.dry_run = options.dry_run

    def ask(self, service, operation, *words, **arguments):
        """Calls an operation with the CLI's options, after what it takes without an option's name."""
        words = ["aws", service, operation, *words, *self.common]
        for name, value in arguments.items():
            words.append("--" + name.replace("_", "-"))
            if value is True:
                continue
            # Several words, or one that is text or JSON.
            several = isinstance(value, list) and all(isinstance(item, str) for item in value)
            words += value if several else [value if isinstance(value, str) else json.dumps(value)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, env=os.environ | {"AWS_PAGER": ""}, check=False)
        except FileNotFoundError:
            raise Failure("the AWS CLI is not there: install it, and see that `aws --version` answers") from None
        if done.returncode != 0:
            raise Refused(f"{service} {operation}", done.stderr.strip())
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def change(self, what, service, operation, **arguments):
        """Asks for a change; gives nothing in a dry run."""
        say(("would " if self.dry_run else "") + what)
        return None if self.dry_run else self.ask(service, operation, **arguments)


class Refused(Failure):
    """AWS said no."""

    def __init__(self, call, words):
        super().__init__(f"{call}: {words.splitlines()[-1] if words else 'no reason given'}")
        self.words = words

    def has(self, code):
        return code in self.words


def at_once(do, things):
    """Does it for each of them, several at a time; gives the outcomes in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(do, things))


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


class Stack:
    """A deployed root stack, with what is nested in it."""

    def __init__(self, aws, name):
        self.aws = aws
        self.name = name
        self.read()

    def read(self):
        try:
            (stack,) = self.aws.ask("cloudformation", "describe-stacks", stack_name=self.name)["Stacks"]
        except Refused as refused:
            if refused.has("does not exist"):
                raise Failure(f"there is no stack {self.name!r} in this account and region") from None
            raise
        self.status = stack["StackStatus"]
        self.parameters = {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", [])}
        self.outputs = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}

    def resources(self, kind, stack=None, prefix=""):
        """Resources of a kind: logical id, behind those of the stacks that it is nested in -> physical id."""
        found = {}
        listed = self.aws.ask("cloudformation", "list-stack-resources", stack_name=stack or self.name)
        for item in listed["StackResourceSummaries"]:
            logical, physical = prefix + item["LogicalResourceId"], item.get("PhysicalResourceId", "")
            if item["ResourceType"] == kind:
                found[logical] = physical
            elif item["ResourceType"] == "AWS::CloudFormation::Stack":
                found |= self.resources(kind, physical, logical)
        return found

    def functions(self):
        """Functions: logical id -> name."""
        return self.resources("AWS::Lambda::Function")

    def invoke(self, function, event):
        """Hands a function an event and waits for its answer; nothing in a dry run."""
        say(f"{'would invoke' if self.aws.dry_run else 'invokes'} {function}")
        if self.aws.dry_run:
            return None
        with tempfile.TemporaryDirectory() as folder:
            payload, answer = os.path.join(folder, "event.json"), os.path.join(folder, "answer.json")
            with open(payload, "w", encoding="utf-8") as file:
                json.dump(event, file)
            # Bytes of a file are what both versions of the CLI take as they are.
            done = self.aws.ask("lambda", "invoke", answer, function_name=function, payload="fileb://" + payload,
                                cli_read_timeout="0")
            with open(answer, encoding="utf-8") as file:
                said = file.read()
        if "FunctionError" in done:
            raise Failure(f"{function} failed: {said[:500]}")
        return json.loads(said) if said else None


def add_common(parser):
    """The options that every command has."""
    parser.add_argument("--stack", required=True, help="the name of the root stack")
    parser.add_argument("--profile", help="of the AWS CLI")
    parser.add_argument("--region", help="of the AWS CLI")
    parser.add_argument("--endpoint-url", help="of the AWS CLI, for another AWS than the real one")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")


def run(command):
    """Runs a command to its end, or says in one line why it did not come there."""
    try:
        command()
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit("interrupted: the same command goes on from here")
