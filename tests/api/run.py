"""Holds the running portal against `openapi.yaml`, as manager, as reader and as nobody.

Each has a portal of its own: what one does to its data is not the others' business. The portal is
`target/debug/local`; Schemathesis is the one beside this Python.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from portal import ROOT, Portal

HERE = Path(__file__).resolve().parent
PERSONAS = ["manager", "reader", "nobody"]


def start(persona, portal, folder, arguments):
    """Starts a run; its words go into a file, to be shown one after the other."""
    environment = {
        **os.environ,
        "PORTAL_ORIGIN": portal.origin,
        "PORTAL_SEED": str(arguments.seed),
        "PORTAL_STATUSES": str(folder / f"{persona}.json"),
        "PERSONA": persona,
        "PYTHONPATH": str(HERE),
    }
    command = [
        Path(sys.executable).parent / "schemathesis", "--config-file", HERE / "schemathesis.toml",
        "run", ROOT / "openapi.yaml", "--url", portal.origin, "--seed", str(arguments.seed),
        "--max-examples", str(arguments.examples), "--no-color",
    ]
    if arguments.seconds:
        command += ["--max-time", str(arguments.seconds)]
    output = open(folder / f"{persona}.txt", "w", encoding="utf-8")
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=10, help="generated requests for each operation")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--seconds", type=int, help="go on for so long")
    parser.add_argument("--as", dest="personas", action="append", choices=PERSONAS, help="only this one")
    arguments = parser.parse_args()
    personas = arguments.personas or PERSONAS
    # Said before anything else: a run that is cut off can be had again too.
    print(f"Seed {arguments.seed}, {arguments.examples} examples an operation", flush=True)

    begun = time.monotonic()
    portals = []
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        try:
            runs = {}
            for persona in personas:
                portals.append(Portal())
                runs[persona] = start(persona, portals[-1], folder, arguments)
            for persona, run in runs.items():
                code = run.wait()
                failed |= code != 0
                print(f"As {persona}: {'failed' if code else 'passed'} ({time.monotonic() - begun:.0f} s)")
                if code:
                    print((folder / f"{persona}.txt").read_text(encoding="utf-8"))
        finally:
            for portal in portals:
                portal.stop()
        report(folder)
    if failed:
        print(f"Again with: make api SEED={arguments.seed} EXAMPLES={arguments.examples}")
    sys.exit(failed)


def report(folder):
    """Which operations never succeeded: these were not tried deeply."""
    seen = {}
    for file in folder.glob("*.json"):
        for name, statuses in json.loads(file.read_text()).items():
            seen.setdefault(name, set()).update(statuses)
    shallow = sorted(name for name, statuses in seen.items() if min(statuses) >= 300)
    print(f"{len(seen)} operations; never succeeded: {', '.join(shallow) or 'none'}")
    for name, statuses in sorted(seen.items()):
        print(f"  {name}: {' '.join(map(str, sorted(statuses)))}")


if __name__ == "__main__":
    main()
