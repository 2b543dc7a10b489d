"""The triangles of a PLY file and of a precomputed fragment: the same?
Usage: compare_mesh.py A.ply FRAGMENT"""

# SPDX-License-Identifier: Apache-2.0
import sys

import numpy as np

with open(sys.argv[1], "rb") as file:
    header = []
    while not header or header[-1] != "end_header":
        header.append(file.readline().decode().strip())
    words = [line.split() for line in header]
    count = {w[1]: int(w[2]) for w in words if w[0] == "element"}
    vertex = [("at", "<f8", 3), ("normal", "<f4", 3)]
    vertices = np.fromfile(file, vertex, count["vertex"])["at"]
    faces = np.fromfile(file, [("n", "u1"), ("v", "<u4", 3)], count["face"])["v"]
with open(sys.argv[2], "rb") as file:
    n = int(np.fromfile(file, "<u4", 1)[0])
    positions = np.fromfile(file, "<f4", 3 * n).reshape(n, 3)
    indices = np.fromfile(file, "<u4").reshape(-1, 3)
assert len(vertices) == n, f"found {n} vertices, expected {len(vertices)}"
assert np.allclose(vertices, positions, rtol=1e-6, atol=1e-3)
assert np.array_equal(faces, indices)
