"""Prints wordfreq's large list of French words, most frequent first: `french_words.py`, in an environment that has it."""

import gzip
from importlib.metadata import distribution

import msgpack

packed = distribution("wordfreq").locate_file("wordfreq/data/large_fr.msgpack.gz")
# A header, then a list of words for each hundredth of a decade of frequency, most frequent first.
header, *by_frequency = msgpack.unpackb(gzip.decompress(packed.read_bytes()))
assert header == {"format": "cB", "version": 1}, header
for words in by_frequency:
    print("\n".join(words), end="\n" if words else "")
