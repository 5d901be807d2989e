"""The operators' scripts of infra/, run as an operator runs them: by the real AWS CLI."""

import os
import subprocess
import sys
from pathlib import Path

from emulator import REGION, STACK
from expand import ROOT


def operate(aws, script, *words, expect=0):
    """Runs a script against the emulator, which has to end with `expect`; gives what it said."""
    command = [sys.executable, ROOT / "infra" / script, *words, "--stack", STACK, "--region", REGION]
    # An operator's environment: the AWS CLI of the tests, and whom it acts for.
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/"),
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    }
    done = subprocess.run([*command, "--endpoint-url", aws.url], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == expect, (script, words, done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr
