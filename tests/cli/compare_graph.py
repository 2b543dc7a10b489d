"""Compares a region graph with a count in numpy.
Usage: compare_graph.py LABELS.h5:/path GRAPH.csv"""

# SPDX-License-Identifier: Apache-2.0
import csv
import sys
from collections import Counter

import h5py
import numpy as np

path, _, dataset = sys.argv[1].partition(":/")
with h5py.File(path, "r") as file:
    labels = file[dataset][()]
expected = Counter()
for axis in range(3):
    a = np.moveaxis(labels, axis, 0)[:-1].ravel()
    b = np.moveaxis(labels, axis, 0)[1:].ravel()
    touch = (a != b) & (a != 0) & (b != 0)
    pairs, counts = np.unique(
        np.sort(np.stack([a[touch], b[touch]], 1), axis=1),
        axis=0,
        return_counts=True,
    )
    for (x, y), n in zip(pairs.tolist(), counts.tolist()):
        expected[x, y] += n
found = Counter()
with open(sys.argv[2]) as file:
    for row in csv.DictReader(file):
        found[int(row["a"]), int(row["b"])] += int(row["contacts"])
if expected != found:
    sys.exit(f"# {len(expected)} edges expected, {len(found)} found")
