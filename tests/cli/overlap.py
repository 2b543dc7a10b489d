"""An object against one body of the truth: prints precision and recall, and fails
below the given bounds.
Usage: overlap.py TRUTH.h5 ID GROWN.h5 PRECISION RECALL"""

# SPDX-License-Identifier: Apache-2.0
import sys

import h5py


def read(path):
    with h5py.File(path, "r") as file:
        return file["volumes/labels/neuron_ids"][()]


truth = read(sys.argv[1]) == int(sys.argv[2])
grown = read(sys.argv[3]) > 0
common = (truth & grown).sum()
precision, recall = common / grown.sum(), common / truth.sum()
print(f"# precision {precision:.3f}, recall {recall:.3f}")
sys.exit(int(precision < float(sys.argv[4]) or recall < float(sys.argv[5])))
