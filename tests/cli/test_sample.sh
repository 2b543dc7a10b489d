#!/bin/sh
# The commands on the synthetic sample: volumes there and back, labels, graph,
# surfaces, and Ctrl+C.
# Usage: test_sample.sh CONNEXON-CLI
# SPDX-License-Identifier: Apache-2.0
set -u
cli=$(realpath "$1")
. "$(dirname "$0")/tap.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$work" || exit 1

exits 0 sample s --size 96,80,64 --seed 5 --json
ok "sample"
json 'r["shape_xyz"] == [96, 80, 64] and r["neurons"] > 3'
ok "sample says what it drew"
fails_with "--force" sample s --size 96,80,64 --seed 5
ok "a sample is not overwritten"
exits 0 sample t --size 96,80,64 --seed 5 --threads 1 &&
    cmp -s s/sample.h5 t/sample.h5
ok "same seed, same bytes"
exits 0 sample t --size 96,80,64 --seed 6 --force &&
    ! cmp -s s/sample.h5 t/sample.h5
ok "other seed, other bytes"
have_python "the sample" || {
    plan
    exit 0
}
raw=s/sample.h5:/volumes/raw
truth=s/sample.h5:/volumes/labels/neuron_ids
before=$(sha256sum s/sample.h5)

exits 0 info $raw --json &&
    json 'r["shape_xyz"] == [96, 80, 64] and r["dtype"] == "uint8" and
          len(r["datasets"]) == 2 and r["levels"] >= 1 and
          len(r["voxel_nm"]) == 3 and 0 <= r["min"] < r["max"] <= 255'
ok "info of the image"
exits 0 info s/slices --json && json 'r["shape_xyz"] == [96, 80, 64]'
ok "info of slices"
exits 0 info $truth --json && json 'r["labels"] and r["dtype"] == "uint64"'
ok "info of labels"

for out in a.h5 a.tif a.zarr a/; do
    exits 0 convert $raw $out --json && json 'r["voxels"] == 96 * 80 * 64'
    ok "convert to $out"
    "$python" "$here/compare.py" $raw "$(readable $out)"
    ok "no voxel differs in $out"
    exits 0 convert $truth l$out
    ok "convert labels to $out"
    exits 0 evaluate $truth l$out --json &&
        json 'r["voi_split"] == 0 and r["voi_merge"] == 0 and r["arand"] == 0'
    ok "labels in $out are the same partition"
done
exits 0 convert $raw b.h5 --box 10,20,30,50,60,64 --json &&
    json 'r["voxels"] == 40 * 40 * 34' &&
    "$python" "$here/compare.py" $raw b.h5 10,20,30,50,60,64
ok "convert a box"
exits 0 info b.h5 --json && json 'r["offset_nm"][0] > 0'
ok "a box knows where it was"
fails_with "outside" convert $raw c.h5 --box 0,0,0,97,80,64
ok "a box outside is refused"
[ ! -e c.h5 ]
ok "nothing is left of it"

exits 0 components $truth c.h5 --connectivity 6 --json &&
    json 'r["count"] > 3 and r["mvox_per_s"] > 0'
ok "components"
exits 0 graph $truth g.csv --json && json 'r["edges"] > 0' &&
    "$python" "$here/compare_graph.py" $truth g.csv
ok "graph against a naive count"
id=$(sed -n '2s/,.*//p' g.csv)
for out in m.ply m.obj m.stl m.glb; do
    exits 0 mesh $truth $out --id "$id" --json && json 'r["triangles"] > 10' &&
        [ -s $out ]
    ok "mesh to $out"
done
fails_with 987654321 mesh $truth n.ply --id 987654321
ok "mesh of an unknown id"
exits 0 mesh $truth all --all --json && json 'r["meshes"] > 3' &&
    [ "$(ls all | wc -l)" -eq "$(value 'r["meshes"]')" ]
ok "mesh of all"

exits 0 skeleton $truth s.swc --id "$id" --json &&
    json 'r["nodes"] > 3 and r["length_um"] > 0.1' && [ -s s.swc ]
ok "skeleton"
fails_with 987654321 skeleton $truth n.swc --id 987654321
ok "skeleton of an unknown id"
exits 0 skeleton $truth lines --all --json && json 'r["skeletons"] > 3' &&
    [ "$(ls lines | wc -l)" -eq "$(value 'r["skeletons"]')" ]
ok "skeletons of all"

exits 0 bench components $truth --runs 1 --json && json 'r["mvox_per_s"] > 0'
ok "bench components"
exits 0 bench mesh $truth --runs 1 --json && json 'r["triangles"] > 0'
ok "bench mesh"
exits 0 bench skeleton $truth --runs 1 --json && json 'r["nodes"] > 0'
ok "bench skeleton"
exits 0 bench watershed $raw --runs 1 --json && json 'r["mvox_per_s"] > 0'
ok "bench watershed"
exits 0 bench agglomerate --supervoxels 5000 --json &&
    json 'r["merges_per_s"] > 0'
ok "bench agglomerate"
exits 0 bench edits --supervoxels 1000 --runs 20 --json &&
    json '0 < r["p50_ms"] <= r["p99_ms"]' && ! ls | grep -q bench
ok "bench edits"
exits 0 bench relabel $truth --runs 2 --json && json 'r["mvox_per_s"] > 0'
ok "bench relabel"
if cli bench frames $raw --runs 20 --pane 320x240 --json; then
    json '0 < r["p50_ms"] <= r["p99_ms"] and r["gl_renderer"]'
    ok "bench frames"
else
    skip "bench frames" "$(head -1 err)"
fi
exits 0 bench unet --base 4 --tile 64 --json &&
    json 'r["mvox_per_s"] > 0 and r["runs"] >= 1'
ok "bench unet"
exits 0 bench unet --base 4 --tile 64 --layers --json &&
    json 'len(r["layers"]) > 20 and all(l["milliseconds"] > 0 for l in r["layers"])' &&
    json 'r["peak_gop_per_s"] == 0 or 0 < max(l["share_of_peak"] for l in r["layers"])'
ok "bench unet --layers"

# An empty Zarr of $1 sections: fill value alone.
empty_zarr() {
    mkdir -p "deep$1.zarr" &&
        printf '{"zarr_format": 2, "shape": [%d, 512, 512], "chunks": [8, 64, 64],
            "dtype": "|u1", "compressor": null, "fill_value": 100, "order": "C",
            "filters": null}' "$1" >"deep$1.zarr/.zarray"
}
if grep -q __asan_init "$cli"; then
    skip "memory of predict does not grow with depth" "sanitizers keep what is freed"
else
    empty_zarr 8 && empty_zarr 48
    exits 0 predict deep8.zarr deep8.h5 --model sstem --memory 8M --json
    shallow=$(value 'r["peak_bytes"]')
    exits 0 predict deep48.zarr deep48.h5 --model sstem --memory 8M --json &&
        [ "$(value 'r["peak_bytes"]')" -lt $((shallow + 4194304)) ]
    ok "memory of predict does not grow with depth"
fi

# in plain C it takes long enough to be met in the middle
CX_CPU=c "$cli" segment $raw x.h5 --model fib --quiet >out 2>err &
pid=$!
sleep 0.7
kill -INT $pid
wait $pid
[ $? -eq 130 ] && [ ! -e x.h5 ] && [ ! -s out ] &&
    ! ls -a | grep -q -e partial -e '^\.connexon'
ok "Ctrl+C cancels and leaves nothing"
[ "$before" = "$(sha256sum s/sample.h5)" ]
ok "the input was not touched"
plan
