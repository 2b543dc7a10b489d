"""Chooses segments to edit: a, b touch over many faces; c is another one;
a voxel of a, of b and of background.  Prints shell assignments.
Usage: choose_edits.py LABELS.h5 GRAPH.csv"""

# SPDX-License-Identifier: Apache-2.0
import csv
import sys

import h5py
import numpy as np
from scipy import ndimage

with h5py.File(sys.argv[1], "r") as file:
    labels = file["volumes/labels/neuron_ids"][()]
contacts = {}
with open(sys.argv[2]) as file:
    for row in csv.DictReader(file):
        pair = int(row["segment_a"]), int(row["segment_b"])
        if pair[0] != pair[1] and 0 not in pair:
            contacts[pair] = contacts.get(pair, 0) + int(row["contacts"])
ranked = sorted(contacts, key=lambda p: (-contacts[p], p))
a, b = ranked[0]
c = next(i for p in ranked for i in p if i not in (a, b))


def inside(label):
    """The voxel farthest from the border."""
    depth = ndimage.distance_transform_edt(labels == label)
    z, y, x = np.unravel_index(depth.argmax(), depth.shape)
    return f"{x},{y},{z}"


print(f"a={a} b={b} c={c} at_a={inside(a)} at_b={inside(b)}")
zero = np.argwhere(labels == 0)
print("at_0=%d,%d,%d" % tuple(zero[0][::-1]) if len(zero) else "at_0=0,0,0")
