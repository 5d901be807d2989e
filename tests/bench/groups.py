"""Which functions can be built by one call of cargo and come out as `sam build` makes them, one by one.

A function is built alone for Lambda, so its dependencies have the features that it asks for. A call of cargo for several
gives each dependency what any of them asks for. So those go together that ask for the same features of every
dependency they share; a line for each such group, on standard output.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def features(packages, target):
    """What a build of these packages has: each crate, and whom it is compiled for, with its features."""
    # `tree` marks what it has shown before; without `--no-dedupe` that would be part of a line.
    arguments = ["--edges", "normal,build", "--prefix", "none", "--format", "{p}|{f}", "--target", target, "--locked"]
    for package in packages:
        arguments += ["--package", package]
    tree = subprocess.run(["cargo", "tree", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = (line.removesuffix(" (*)").rsplit("|", 1) for line in tree.stdout.splitlines() if line.strip())
    found = {}
    for crate, its in lines:
        # A crate that is compiled for the target and for the host may have other features there.
        found.setdefault(crate, set()).add(its)
    return found


def agree(one, other):
    return all(other[crate] == its for crate, its in one.items() if crate in other)


def main():
    target, *functions = sys.argv[1:]
    groups = []
    for function in functions:
        its = features([function], target)
        for names, theirs in groups:
            if agree(its, theirs):
                names.append(function)
                theirs |= its
                break
        else:
            groups.append(([function], its))
    for names, alone in groups:
        together = features(names, target)
        if together != alone:
            differ = sorted(crate for crate in together if together[crate] != alone.get(crate))
            sys.exit(f"built together, {names} would get other features of {differ}")
        print(*names)


if __name__ == "__main__":
    main()
