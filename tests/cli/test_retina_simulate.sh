#!/bin/sh
# retina simulate: the four protocols, training films, films that are read.
# Usage: test_retina_simulate.sh CONNEXON-CLI
# SPDX-License-Identifier: Apache-2.0
set -u
cli=$(realpath "$1")
. "$(dirname "$0")/tap.sh"
cd "$work" || exit 1

exits 0 retina --help && grep -q '^  simulate ' "$work/out"
ok "help lists the part"
exits 0 retina simulate --help && grep -q -- --knock-out "$work/out"
ok "help of the part"
exits 2 retina && exits 2 retina frobnicate && grep -q 'retina frobnicate' "$work/err"
ok "a part that is missing or unknown"
exits 2 retina simulate a.csv && exits 2 retina simulate f.h5 a.csv --protocol osr
ok "a film or a protocol, not both"
exits 2 retina simulate --protocol osr a.txt && exits 2 retina simulate --protocol walk a.csv
ok "unknown suffix, unknown protocol"
exits 2 retina simulate --protocol osr --knock-out cones a.csv && grep -q cones "$work/err"
ok "unknown part of the retina"
exits 2 retina simulate --protocol osr --preset 2019 a.csv && exits 2 retina simulate --protocol osr --model x a.csv
ok "unknown preset, unknown model"
fails_with latency retina simulate --protocol latency --preset ebert a.csv && [ ! -e a.csv ]
ok "a preset without that protocol"

for protocol in osr latency reversal anticipation; do
    exits 0 retina simulate --protocol $protocol $protocol.csv --json &&
        json 'r["reproduced"] and r["source"] == "simulated retina" and r["rate_max"] > 1'
    ok "$protocol is reproduced"
done
exits 0 retina simulate --protocol osr on.csv --knock-out on-bipolar --json &&
    json 'not r["reproduced"] and r["ratio"] < 0.5 and "omitted" in r["verdict"]'
ok "no answer to an omitted flash without ON bipolar cells"
[ "$(head -1 osr.csv)" = condition,frame,ms,x36,x37,x38,x39,x40,x41,x42,x43,x44 ] &&
    [ "$(wc -l <osr.csv)" -eq 1201 ] && sed -n 2p osr.csv | grep -q '^period 30 ms,0,0,0'
ok "a table with a row a frame"
exits 0 retina simulate --protocol latency d.csv --drives --knock-out off-bipolar,depression &&
    head -1 d.csv | grep -q ',x44,x36.off,.*,x44.off,x36.on,.*,x44.slow$'
ok "drives beside the rates"
fails_with --force retina simulate --protocol osr osr.csv
ok "an output is not replaced"

exits 0 retina simulate --protocol mixture --seconds 12 --size 24x1 --seed 3 mix.h5 --json &&
    json 'r["frames"] == 1320 and r["cells"] == 24 and r["rate_max"] > 1'
ok "a film to train on"
exits 0 retina simulate --protocol natural --seconds 2 --size 12x10 nat.h5 --json &&
    json 'r["cells"] == 120'
ok "in two dimensions"
exits 0 retina simulate --protocol mixture --seconds 12 --size 24x1 --seed 3 mix2.h5 --threads 1 &&
    exits 0 retina simulate mix.h5 again.h5
ok "the same film again, and as it is read"
if have_python "what the files hold"; then
    "$python" - <<'PY'
import h5py, numpy as np, sys
a, b, c = (h5py.File(n, 'r') for n in ('mix.h5', 'mix2.h5', 'again.h5'))
rate = 'train/response/firing_rate_10ms'
ok = (a.attrs['source'] == b'simulated retina' or a.attrs['source'] == 'simulated retina')
ok &= a['train/stimulus'].shape == (1200, 1, 24) and a['test/stimulus'].shape == (120, 1, 24)
ok &= a[rate].shape == (24, 1200) and abs(a['train/time'][-1] - 11.99) < 1e-9
for other in (b, c):
    ok &= np.array_equal(a['train/stimulus'][:], other['train/stimulus'][:])
    ok &= np.array_equal(a[rate][:], other[rate][:])
sys.exit(0 if ok else 1)
PY
    ok "what the files hold"
fi
fails_with mix.h5 retina simulate mix.h5 mix.h5 --force
ok "the output is the input"
echo no >no.h5
fails_with no.h5 retina simulate no.h5 b.csv && fails_with gone.h5 retina simulate gone.h5 b.csv
ok "a file that is damaged or absent"
"$cli" retina simulate --protocol natural --size 60x60 --seconds 300 late.h5 --quiet 2>"$work/err" &
pid=$!
sleep 1
kill -INT $pid
wait $pid
[ $? -eq 130 ] && [ ! -e late.h5 ] && [ ! -e late.h5.part ]
ok "Ctrl+C leaves nothing"
plan
