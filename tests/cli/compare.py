"""Compares a volume with a data set of an HDF5 file, voxel by voxel, with
readers that are not ours.  Usage: compare.py A.h5:/path B [BOX of A]"""

# SPDX-License-Identifier: Apache-2.0
import os
import sys

import h5py
import numpy as np
import tifffile


def read(spec):
    path, _, dataset = spec.partition(":/")
    if path.endswith(".h5"):
        with h5py.File(path, "r") as file:
            if not dataset:
                names = []
                file.visititems(
                    lambda n, o: names.append(n)
                    if isinstance(o, h5py.Dataset)
                    else None
                )
                dataset = names[0]
            return file[dataset][()]
    if path.endswith(".tif"):
        return tifffile.imread(path)
    names = sorted(os.listdir(path))
    return np.stack([tifffile.imread(os.path.join(path, n)) for n in names])


a = read(sys.argv[1])
b = read(sys.argv[2])
if len(sys.argv) > 3:
    x0, y0, z0, x1, y1, z1 = map(int, sys.argv[3].split(","))
    a = a[z0:z1, y0:y1, x0:x1]
if a.shape != b.shape:
    sys.exit(f"# shapes {a.shape} and {b.shape}")
n = int((a != b).sum())
if n:
    sys.exit(f"# {n} voxels differ")
