#!/bin/sh
# One object from one voxel, with a published network.
# Usage: test_grow.sh CONNEXON-CLI
# SPDX-License-Identifier: Apache-2.0
set -u
cli=$(realpath "$1")
. "$(dirname "$0")/tap.sh"
here=$(cd "$(dirname "$0")" && pwd)
source=${CONNEXON_SOURCE:-$here/../..}
data=${CONNEXON_DATA:-$source/../shared/data}
[ -d "$data/ffn-fib25" ] || {
    skip "growing" "not here: $data/ffn-fib25"
    plan
    exit 0
}
have_python "growing" || {
    plan
    exit 0
}
source=$(cd "$source" && pwd)
data=$(cd "$data" && pwd)
cd "$work" || exit 1
raw=$data/fib-medulla/test.h5:/volumes/raw
truth=$data/fib-medulla/test.h5

"$python" "$source/data/models/train/ffn_from_npz.py" \
    "$data/ffn-fib25/ffn_fib25_weights_DHWIO_f32.npz" ffn.h5 \
    --reference "$data/ffn-fib25/ffn_one_fov_reference_numpy.npz" >out 2>err
ok "the published weights become a model file"
exits 0 grow "$raw" thin.h5 --model ffn.h5 --at 57,74,43 --max-steps 12 --json &&
    json 'r["steps"] == 12 and r["voxels"] > 2000 and r["seconds"] > 0 and
          r["voxels_per_s"] > 0 and not r["complete"]'
ok "twelve steps along a thin neurite"
"$python" "$here/overlap.py" "$truth" 249 thin.h5 0.85 0.25
ok "hardly a voxel outside of it"
exits 0 grow "$raw" part.h5 --model ffn.h5 --at 57,74,43 --id 18446744073709551615 \
    --box 40,60,35,70,90,50 --min-voxels 1 --max-steps 3 --json &&
    exits 0 info part.h5 --json &&
    json 'r["shape_xyz"] == [30, 30, 15] and r["max"] > 1.8e19'
ok "a box and a label"
fails_with "expected at least 1000" grow "$raw" o.h5 --model ffn.h5 \
    --at 57,74,43 --max-steps 1 --box 50,70,40,60,80,46
ok "too small an object"
fails_with "grows an object" grow "$raw" o.h5 --model fib --at 57,74,43
ok "a network that does not grow"
fails_with "boundaries" segment "$raw" o.h5 --model "$work/ffn.h5"
ok "a network that grows does not segment"
fails_with "outside" grow "$raw" o.h5 --model ffn.h5 --at 57,74,50
ok "a start outside"
exits 2 grow "$raw" o.h5 --model ffn.h5
ok "no start"
exits 2 grow "$raw" o.h5 --at 57,74,43
ok "no model"
[ ! -e o.h5 ]
ok "nothing is left of a failure"
plan
