# For each line "PHC password" that comes in, the time of one verification, in milliseconds, goes out.
import sys
import time

import argon2

hasher = argon2.PasswordHasher()
for line in sys.stdin:
    hash, password = line.split()
    started = time.perf_counter_ns()
    hasher.verify(hash, password)
    print((time.perf_counter_ns() - started) / 1e6, flush=True)
