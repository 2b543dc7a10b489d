#!/bin/sh
# retina attribute, reduce, prune and report on a small network.
# Usage: test_retina_reduce.sh CONNEXON-CLI
# SPDX-License-Identifier: Apache-2.0
set -u
cli=$(realpath "$1")
. "$(dirname "$0")/tap.sh"

"$python" - "$work/net.h5" <<'PY' 2>"$work/err"
import sys, h5py, numpy as np
r = np.random.default_rng(3)
with h5py.File(sys.argv[1], 'w') as f:
    f.attrs['format'] = 'connexon-retina'
    for name, value in dict(version=1, height=1, width=50).items():
        f.attrs[name] = np.int32(value)
    f.attrs['name'] = 'three channels'
    for name, shape in dict(layer1=(3, 40, 1, 5), layer2=(2, 3, 1, 5), cells=(1, 2, 1, 5)).items():
        f[name + '/weight'] = r.normal(0, 0.3, shape).astype('f4')
        f[name + '/bias'] = r.normal(0, 0.3, shape[0]).astype('f4')
PY
if [ $? -ne 0 ]; then
    echo '1..0 # SKIP python3 with h5py and numpy is not there'
    exit 0
fi
cd "$work"

exits 0 retina attribute net.h5 a.csv --protocol osr --condition 2 --json --quiet &&
    json 'r["completeness_error"] < 1e-6 and len(r["channels"]) == 3 and r["data"] == "simulated retina"'
ok "attribute, exact"
[ "$(wc -l <a.csv)" -gt 150 ] && head -1 a.csv | grep -q '^frame,ms,stimulus,network'
ok "a line for every frame"
exits 0 retina attribute net.h5 --rule right --steps 5 --json --quiet &&
    json 'r["completeness_error_worst"] > 1e-5'
ok "attribute, five steps"
fails_with a.csv retina attribute net.h5 a.csv
ok "an output that is there"
exits 2 retina attribute net.h5 --rule left && grep -q left err
ok "unknown rule"
exits 2 retina reduce net.h5 --protocol walk
ok "unknown protocol"
exits 2 retina reduce net.h5 --order odd
ok "unknown order"
exits 0 retina reduce net.h5 r.csv --protocol latency --channels 2 --bits --json --quiet &&
    json 'r["kept"]["channels"] == 2 and [p["channels"] for p in r["curve"]] == [3, 2, 1]' &&
    json 'r["curve"][0]["r"] > 0.999999 and len(r["bits"]) == 7 and r["bits"][0]["r"] > 0.99'
ok "reduce"
[ "$(wc -l <r.csv)" -eq 11 ]
ok "the curves as a table"
exits 2 retina prune net.h5 small.h5
ok "keep is missing"
exits 0 retina prune net.h5 small.h5 --keep 2 --order synflow --frames 200 --json --quiet &&
    json 'r["channels"] == 2 and len(r["kept"]) == 2 and r["weights"] < r["weights_before"]'
ok "prune"
exits 0 retina prune net.h5 smaller.h5 --keep 1 --order magnitude --fate hold --refit none --quiet &&
    exits 0 retina attribute smaller.h5 --json --quiet && json 'len(r["channels"]) == 1'
ok "a pruned network works"
exits 0 retina report net.h5 --no-baseline --frames 20 --json --quiet &&
    json 'all(k in r for k in ("osr", "latency", "reversal", "anticipation"))' &&
    json 'all(r[k]["simulator"]["reproduced"] for k in ("osr", "latency", "reversal", "anticipation"))' &&
    json 'r["completeness_error"] < 1e-6 and "slope" in r["osr"]'
ok "report"
fails_with missing.h5 retina report missing.h5
ok "no such network"
if cli retina attribute --quiet; then
    exits 0 retina attribute --protocol osr --json --quiet &&
        json 'r["completeness_error"] < 1e-6 and r["completeness_error_worst"] < 0.01'
    ok "shipped network, exact"
    exits 0 retina attribute --protocol osr --rule midpoint --json --quiet &&
        json 'r["completeness_error"] < 0.02'
    ok "shipped network, 100 steps"
    exits 0 retina report --frames 60 --json --quiet &&
        json 'all(r[k]["reproduced"] for k in ("osr", "latency", "reversal", "anticipation"))' &&
        json 'r["baseline_fails"] and r["completeness_error"] < 0.01'
    ok "shipped network shows all four, the baseline does not"
else
    skip "shipped network" "data/models has no retina-mixed.h5"
fi
plan
