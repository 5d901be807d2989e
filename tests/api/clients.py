"""Reads `openapi.yaml` as strict parsers do, generates a client from it in Python and in TypeScript, and makes a journey
with each: from the sign-up to a page of the ledger, on a portal of its own.

The portal is `target/debug/local`; the Python generator is beside this Python, Node's packages are in the folder that is
given.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from portal import PASSWORDS, ROOT, Portal
from ruamel.yaml import YAML

HERE = Path(__file__).resolve().parent / "clients"
SCRIPTS = Path(sys.executable).parent
CONTRACT = ROOT / "openapi.yaml"
# An account of the demo data with entries, contributions and transfers.
NUMBER, SIRET = "012345", "53384615000019"


def run(*command, **options):
    """A command, whose words are shown where it fails."""
    done = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")


def parse(packages):
    """Two parsers that keep to YAML 1.2 and take no key twice, one of them for every file in YAML."""
    YAML(typ="safe", pure=True).load(CONTRACT)
    files = [CONTRACT, ROOT / "template.yaml", *sorted(ROOT.glob("infra/*.yaml"))]
    strict = shutil.copy(HERE / "strict.mjs", packages)
    run("node", strict, *files)
    # A parser that finds nothing in what is wrong would find nothing at all.
    for wrong in ("a: {b: 1}\na: 2\n", 'a:\n  b: "one\n  two"\n'):
        refused = subprocess.run(["node", strict, "/dev/stdin"], input=wrong, text=True, stderr=subprocess.DEVNULL)
        if refused.returncode == 0:
            raise SystemExit(f"the strict parser takes {wrong!r}")


def in_python(folder):
    """Generates the client in Python, without a warning, which would be an answer that it leaves out."""
    environment = {**os.environ, "PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
    run(
        SCRIPTS / "openapi-python-client", "generate", "--path", CONTRACT, "--config", HERE / "python.yaml",
        "--meta", "none", "--output-path", folder / "portal_client", "--fail-on-warning", env=environment,
    )
    return [sys.executable, HERE / "journey.py"], {"PYTHONPATH": str(folder)}


def in_typescript(folder, packages):
    """Generates the client in TypeScript by one generator, the types by another, and checks all of it."""
    tools = packages / "node_modules/.bin"
    run(
        tools / "openapi-ts", "--input", CONTRACT, "--output", folder / "client", "--client", "@hey-api/client-fetch",
        "--no-log-file", cwd=packages,
    )
    run(tools / "openapi-typescript", CONTRACT, "--output", folder / "types.d.ts")
    for name in ("journey.ts", "tsconfig.json"):
        shutil.copy(HERE / name, folder)
    run(tools / "tsc", "--project", folder)
    return ["node", folder / "built/journey.js"], {}


def travel(journey):
    """Makes a journey on a portal of its own."""
    command, environment = journey
    portal = Portal()
    try:
        known = {"PORTAL_ORIGIN": portal.origin, "PASSWORD": PASSWORDS[0], "NUMBER": NUMBER, "SIRET": SIRET}
        run(*command, env={**os.environ, **environment, **known})
    finally:
        portal.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", type=Path, help="where `npm ci` put the packages of clients/package.json")
    packages = parser.parse_args().packages.resolve()
    begun = time.monotonic()
    parse(packages)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        python, typescript = Path(folder) / "python", Path(folder) / "typescript"
        python.mkdir()
        typescript.mkdir()
        made = [pool.submit(in_python, python), pool.submit(in_typescript, typescript, packages)]
        for journey in [pool.submit(travel, made.result()) for made in made]:
            journey.result()
    print(f"A client in Python and one in TypeScript went to the ledger ({time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    main()
