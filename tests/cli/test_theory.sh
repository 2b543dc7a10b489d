#!/bin/sh
# The companion models: their scalars, their files, what they refuse.
# Usage: test_theory.sh CONNEXON-CLI
# SPDX-License-Identifier: Apache-2.0
set -u
cli=$(realpath "$1")
. "$(dirname "$0")/tap.sh"
cd "$work" || exit 1

exits 0 theory hopfield --units 300 --trials 2 --loads 5 --csv c.csv --json
ok "hopfield"
json 'r["energy_rises"] == 0 and r["updates"] == 1000000 and r["flips"] > 0'
ok "the energy never rises"
json 'all(abs(m - 0.5) < 0.05 for m in r["mixture_overlaps"])'
ok "a mixture is half of each"
json '"resembles" in r["mixture"] and 0.1 < r["capacity"] < 0.25'
ok "a mixture is named, the capacity measured"
[ "$(wc -l <c.csv)" -eq 6 ]
ok "the sweep as a table"
fails_with "--force" theory hopfield --units 300 --csv c.csv
ok "a table is not overwritten"
exits 2 theory hopfield --rule none
ok "an unknown rule is wrong usage"

exits 0 theory sparse-coding d.png --side 6 --atoms 40 --batches 30 --json
ok "sparse coding"
json 'r["kurtosis"] > 5 and r["steps_fista_above_ista"] == 0'
ok "codes are sparse, FISTA is never above ISTA"
[ -s d.png ]
ok "the dictionary as a picture"

exits 0 theory synflow lenet --compression 12288 --json
ok "synflow"
json 'r["conservation_error"] < 1e-9 and r["empty_layers"] == 0'
ok "scores are conserved, no layer is empty"
exits 0 theory synflow sstem pruned.h5 --compression 4 --rounds 2 --json
ok "a pruned model file"
json 'abs(r["weights"] / r["kept"] - 4) < 0.01'
ok "pruned by what was asked for"
exits 0 theory synflow sstem narrow.h5 --channels --compression 2 --rounds 2 \
    --json
ok "a narrower model file"
json 'r["flop_per_voxel"] < r["flop_per_voxel_before"] / 1.99'
ok "with half of the work"
fails_with "no model file" theory synflow mlp x.h5 --rounds 1
ok "the small nets have no file"
exits 2 theory synflow
ok "synflow wants a model"
exits 2 theory magic
ok "an unknown theory is wrong usage"
plan
