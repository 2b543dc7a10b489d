"""AFTER must be BEFORE with label B replaced by A, or A by B, voxel by voxel.
Usage: compare_merge.py BEFORE.h5 AFTER A B"""

# SPDX-License-Identifier: Apache-2.0
import sys

import h5py
import numpy as np


def read(path):
    with h5py.File(path, "r") as file:
        return file["volumes/labels/neuron_ids"][()]


before, after = read(sys.argv[1]), read(sys.argv[2])
a, b = np.uint64(sys.argv[3]), np.uint64(sys.argv[4])
expected = np.where(before == b, a, before)
n = int((expected != after).sum())
if n:
    sys.exit(f"# {n} of {before.size} voxels differ")
