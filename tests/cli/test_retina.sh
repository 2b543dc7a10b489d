#!/bin/sh
# Networks of the retina: trained, asked, converted.
# Usage: test_retina.sh CONNEXON-CLI
# SPDX-License-Identifier: Apache-2.0
set -u
cli=$(realpath "$1")
source=$(realpath "$(dirname "$0")/../..")
. "$(dirname "$0")/tap.sh"

tiny="--size 12,1,30 --kernels 7,5,5 --channels 3,3 --seconds 30 --epochs 2"

cli retina train "$work/a.h5" $tiny --seed 4 --threads 1 --json &&
    grep -q '"valid_r"' "$work/out"
ok 'a network is trained'

cli retina simulate --protocol natural --seconds 4 --size 30x1 "$work/film.h5" &&
    cli retina respond "$work/a.h5" "$work/film.h5" "$work/rates.csv" &&
    [ "$(head -1 "$work/rates.csv")" = frame,ms,cell0 ]
ok 'it answers a film'

cli retina train "$work/b.h5" $tiny --seed 4 --threads 2 --quiet &&
    cli retina respond "$work/b.h5" "$work/film.h5" "$work/again.csv" &&
    cmp -s "$work/rates.csv" "$work/again.csv"
ok 'the same on two threads'

cli retina respond "$work/a.h5" "$work/osr.csv" --protocol osr --json &&
    grep -q '"reproduced"' "$work/out" && [ -s "$work/osr.csv" ]
ok 'it answers a protocol'

exits 2 retina respond "$work/a.h5"
ok 'a film is asked for'

exits 2 retina train "$work/c.h5" --kernels 7,5
ok 'kernels are three'

if "$python" -c 'import torch, h5py' 2>/dev/null; then
    "$python" "$(dirname "$0")/check_retina_torch.py" "$cli" \
        "$source/data/models/train/retina_from_torch.py" "$work" \
        >"$work/out" 2>"$work/err"
    ok 'a PyTorch checkpoint is converted'
else
    skip 'a PyTorch checkpoint is converted' 'torch or h5py is not installed'
fi
plan
