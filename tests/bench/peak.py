"""Runs a command, and prints the most memory that it had, in KiB; what the command prints is left out."""

import resource
import subprocess
import sys

done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
if done.returncode:
    sys.exit(f"{sys.argv[1]} ended with {done.returncode}: {done.stderr}")
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
