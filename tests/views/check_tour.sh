#!/bin/sh
# The tour, and what it exported, read by somebody else's HDF5 library.
# Usage: check_tour.sh BUILD
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
pictures=$(mktemp -d "${TMPDIR:-/tmp}/connexon-tour.XXXXXX")
trap 'rm -rf "$pictures"' EXIT
"$root/app/tour" "$1" "$pictures"
/usr/bin/python3 - "$pictures/sample-labels.h5" "$pictures/data/data/connexon/sample/sample.h5" "$(cat "$pictures/segments")" <<'PYTHON'
import sys
try:
    import h5py, numpy
except ImportError:
    print("python3-h5py is not installed: the export is not read back")
    sys.exit(0)
ours = h5py.File(sys.argv[1])["volumes/labels/neuron_ids"]
drawn = h5py.File(sys.argv[2])["volumes/labels/neuron_ids"]
assert ours.dtype == numpy.uint64, f"found {ours.dtype}, expected uint64"
assert ours.shape == drawn.shape, f"found {ours.shape}, expected {drawn.shape}"
assert list(ours.attrs["resolution"]) == list(drawn.attrs["resolution"])
labels, truth = ours[:], drawn[:]
assert ((labels == 0) == (truth == 0)).all(), "background differs from what was drawn"
found = len(numpy.unique(labels[labels > 0]))
assert found == int(sys.argv[3]), f"found {found} segments, expected {sys.argv[3]}"
a, b = labels[125, 125, 125], labels[125, 150, 170]
assert a != b, "the two seeds are in one segment after the split"
print(f"read back: {found} segments, the two sides of the cut are {a} and {b}")
PYTHON
