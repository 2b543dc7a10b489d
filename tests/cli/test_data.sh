#!/bin/sh
# The commands on real data, with known answers.
# Usage: test_data.sh CONNEXON-CLI
# SPDX-License-Identifier: Apache-2.0
set -u
cli=$(realpath "$1")
. "$(dirname "$0")/tap.sh"
here=$(cd "$(dirname "$0")" && pwd)
data=${CONNEXON_DATA:-${CONNEXON_SOURCE:-.}/../shared/data}
[ -d "$data" ] || {
    skip "real data" "not here: $data"
    plan
    exit 0
}
data=$(cd "$data" && pwd)
cd "$work" || exit 1
sums=$(cd "$data" && sha256sum fib-medulla/test.h5 sstem-isbi/test_raw.tif)

# scores of published segmentations, to six digits: split is H(segments |
# truth), merge H(truth | segments)
gala=$data/golden/gala
score() {
    file=$1 split=$2 merge=$3
    exits 0 evaluate "$gala/test-gt.h5" "$gala/$file" --json &&
        json "abs(r['voi_split'] - $split) < 5e-7 and abs(r['voi_merge'] - $merge) < 5e-7"
}
score test-ws.h5 1.647744 0.184529
ok "VOI of gala's watershed"
score test-seg1.h5 0.304539 0.364882
ok "VOI of gala's first segmentation"
score test-seg4.h5 0.234176 0.395047
ok "VOI of gala's fourth segmentation"

exits 0 graph "$data/golden/neuroproof/samp1_labels_processed.h5" g.csv --json &&
    json 'r["nodes"] == 164 and r["edges"] == 618'
ok "region graph of NeuroProof"

# an exact count; 6 and 18 are in the core tests
labels=$data/labels-pinky40/labels.h5
exits 0 bench components "$labels" --runs 1 --connectivity 26 --json &&
    json 'r["count"] == 3619'
ok "components of pinky40"

raw=$data/fib-medulla/test.h5:/volumes/raw
truth=$data/fib-medulla/test.h5:/volumes/labels/neuron_ids
exits 0 segment "$raw" p.connexon --model fib --json &&
    json 'r["segments"] > 20 and r["supervoxels"] >= r["segments"] and
          r["peak_bytes"] > 0 and set(r["stages"]) == {"predict", "watershed",
          "graph", "agglomerate", "fuse", "write"}'
ok "segment to a project"
exits 0 evaluate "$truth" p.connexon --json &&
    json 'r["voi_split"] + r["voi_merge"] < 1.6 and r["arand"] < 0.2'
ok "its score"
exits 0 evaluate "$truth" p.connexon --border 2 --json &&
    json 'r["voi_split"] + r["voi_merge"] < 1.0 and r["voxels"] < 3124950'
ok "its score inside the borders"
exits 0 check p.connexon --json && json 'r["ok"] and r["problems"] == []'
ok "check"
exits 0 candidates p.connexon --limit 20 --json &&
    json 'len(r["candidates"]) == 20 and all(isinstance(c["a"], str) and
        c["kind"] in ("split", "merge") and len(c["at"]) == 3 for c in r["candidates"])' &&
    json '[c["score"] for c in r["candidates"]] == sorted((c["score"] for c in r["candidates"]), reverse=True)'
ok "candidates, the best first"
exits 0 bench queue p.connexon --truth "$truth" --decisions 40 --json &&
    json 'r["points"][-1]["voi_split"] + r["points"][-1]["voi_merge"] <
        r["points"][0]["voi_split"] + r["points"][0]["voi_merge"]'
ok "answers from the queue lower the VOI"
exits 0 export p.connexon lines --what skeletons --json && [ "$(ls lines | wc -l)" -gt 20 ]
ok "export skeletons"
fails_with "--force" segment "$raw" p.connexon --model fib
ok "a project is not overwritten"
exits 0 segment "$raw" p.connexon --model fib --resume --json
ok "resume finds nothing to do"

for share in 0 1; do
    exits 0 segment "$raw" shares.connexon --model fib --memory 64M \
        --index $share --of 2 --resume --json || break
done
exits 0 info shares.connexon --json &&
    json 'r["blocks"] == r["blocks_total"] > 1 and r["segments"] > 20'
ok "two shares make one project"
exits 0 evaluate "$truth" shares.connexon --json &&
    json 'r["voi_split"] + r["voi_merge"] < 2.0 and r["arand"] < 0.35' &&
    exits 0 check shares.connexon
ok "its score and its integrity"
fails_with "share 0 of 99" segment "$raw" none.connexon --model fib --index 0 --of 99
ok "an empty share is refused"

have_python "edits and exports" || {
    plan
    exit 0
}
exits 0 export p.connexon before.h5 --json && json 'r["bytes"] > 1000'
ok "export before the edits"
exits 0 export p.connexon graph.csv --what graph
ok "export the graph"
cp p.connexon base.connexon
eval "$("$python" "$here/choose_edits.py" before.h5 graph.csv)"
exits 0 edit p.connexon merge $a $b --json &&
    json "r['sequence'] == 1 and r['segments'] and
          all(isinstance(s, str) for s in r['segments']) and
          r['milliseconds'] > 0"
ok "merge"
exits 0 edit p.connexon note $a "checked, twice" && exits 0 edit p.connexon lock $c
ok "note and lock"
fails_with "locked" edit p.connexon merge $c $a
ok "a locked segment is not merged"
exits 0 edit p.connexon split $a --source $at_a --sink $at_b --preview --json &&
    json 'len(r["supervoxels"]) > 0 and r["sequence"] is None'
ok "preview of a split"
exits 0 edit p.connexon split $a --source $at_a --sink $at_b --json &&
    json 'r["sequence"] == 4 and len(r["segments"]) == 2'
ok "split"
exits 0 edit p.connexon undo 2 --json && json 'r["head"] == 2 and r["edits"] == 4'
ok "undo"
exits 0 edit p.connexon redo --json && json 'r["head"] == 3'
ok "redo"
fails_with 999999999999 edit p.connexon merge $a 999999999999
ok "merge with an unknown id"
fails_with "$at_0" edit p.connexon split $a --source $at_0 --sink $at_b
ok "a seed on background is named"
fails_with "outside" edit p.connexon split $a --source 1,2,999 --sink $at_b
ok "a seed outside is refused"
exits 0 log p.connexon --json &&
    json 'r["head"] == 3 and r["edits"] == 4 and len(r["history"]) == 4 and
          r["history"][3]["undone"] and not r["history"][0]["undone"]'
ok "log"
exits 0 log p.connexon --csv log.csv && [ "$(wc -l <log.csv)" -ge 5 ]
ok "log as CSV"
exits 0 check p.connexon --json && json 'r["ok"]'
ok "check after the edits"

exits 0 replay log.csv base.connexon --json && json 'r["replayed"] == 3' &&
    exits 0 export base.connexon replayed.h5 &&
    exits 0 export p.connexon present.h5 &&
    "$python" "$here/compare.py" replayed.h5:/volumes/labels/neuron_ids present.h5
ok "the log replayed on a fresh project gives the same labels"
fails_with "record 2" replay log.csv base.connexon
ok "a log that does not fit is refused"

for out in after.h5 after.zarr; do
    exits 0 export p.connexon $out && "$python" "$here/compare_merge.py" \
        before.h5 "$(readable $out)" $a $b
    ok "export to $out: no voxel differs"
done
exits 0 export p.connexon table.csv --what table &&
    grep -q "^$a," table.csv
ok "export the table"
exits 0 mesh p.connexon m.ply --id $a --json && json 'r["triangles"] > 10'
ok "mesh of a segment"
exits 0 mesh p.connexon surfaces/ --id $a --json && json 'r["triangles"] > 10' &&
    grep -q legacy_mesh surfaces/info && grep -q "$a:0:0" "surfaces/$a:0" &&
    "$python" "$here/compare_mesh.py" m.ply "surfaces/$a:0:0"
ok "the same surface for neuroglancer"
fails_with "surfaces" mesh p.connexon surfaces/ --id $a
ok "and it is not replaced unasked"
if cli render p.connexon r.png --view all --size 640x480 --json; then
    json 'r["gl_renderer"]' && [ "$(head -c 4 r.png | tail -c 3)" = PNG ]
    ok "render"
else
    skip "render" "$(head -1 err)"
fi

isbi=$data/sstem-isbi
exits 0 predict "$isbi/test_raw.tif" map.h5 --model sstem --channel boundary \
    --json && json 'r["mvox_per_s"] > 0 and r["isa"] in ("c", "avx2", "vnni", "amx")'
ok "predict a membrane map"
exits 0 evaluate "$isbi/test_membranes.tif" map.h5 --isbi --json &&
    json 'r["v_rand"] > 0.9 and r["v_info"] > 0.95 and 0 <= r["threshold"] <= 1'
ok "its ISBI scores"
exits 0 segment "$raw" labels.h5 --model fib --box 0,0,0,125,250,50 --json &&
    exits 0 info labels.h5 --json && json 'r["shape_xyz"] == [125, 250, 50]'
ok "segment a box to labels"

[ "$sums" = "$(cd "$data" &&
    sha256sum fib-medulla/test.h5 sstem-isbi/test_raw.tif)" ]
ok "the inputs were not touched"
plan
