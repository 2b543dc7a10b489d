#!/bin/sh
# Growing an object in the window: the network is chosen, the mask grows, the
# pieces are brought together by Enter and taken apart again by undo.
# Usage: check_grow.sh BUILD
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
python=${CX_PYTHON:-/usr/bin/python3}

if [ -z "${CX_GROW_INSIDE:-}" ]; then
    [ -x "$build/app/drive" ] || {
        echo "check_grow: libatspi2.0-dev is missing" >&2
        exit 77
    }
    "$python" -c 'import h5py, numpy' 2>/dev/null || {
        echo "check_grow: no Python with h5py and numpy" >&2
        exit 77
    }
    work=$(mktemp -d "${TMPDIR:-/tmp}/connexon-grow.XXXXXX")
    trap 'rm -rf "$work"' EXIT INT TERM
    export CX_GROW_INSIDE="$work" HOME="$work"
    "$root/tests/views/ui_run.sh" "$0" "$build"
    exit
fi
work=$CX_GROW_INSIDE

# A bright bar in the dark, cut into 12 pieces; a network that grows over all
# that is bright: 4 times the normalised image.
"$python" - "$work" <<'PYTHON'
import sys
import h5py
import numpy as np

work = sys.argv[1]
z, y, x = np.indices((30, 40, 120))
bar = (abs(y - 20) < 4) & (abs(z - 15) < 4)


def text(h, key, value):
    h.attrs.create(key, value, dtype=h5py.string_dtype("utf-8"))


with h5py.File(f"{work}/bar.h5", "w") as h:
    for name, data in (("raw", np.where(bar, 200, 20).astype(np.uint8)),
                       ("labels/neuron_ids",
                        (x // 10 + np.where(bar, 1, 101)).astype(np.uint64))):
        h[f"volumes/{name}"] = data
        h[f"volumes/{name}"].attrs["resolution"] = [8.0, 8.0, 8.0]
with h5py.File(f"{work}/bright.h5", "w") as h:
    for key, value in (("format", "connexon-model"), ("name", "bright"),
                       ("description", "-"), ("data", "-"), ("licence", "-"),
                       ("scores", "-"), ("normalise", "fixed")):
        text(h, key, value)
    for key, value in (("version", 1), ("dims", 3), ("input_sections", 1),
                       ("views", 1)):
        h.attrs[key] = np.int32(value)
    h.attrs["voxel_nm"] = np.full(3, 8.0)
    h.attrs["norm_mean"], h.attrs["norm_std"] = 128.0, 33.0
    h.attrs["outputs"] = np.array([[2, 0, 0, 0]], np.int32)
    s = h.create_group("segmentation")
    text(s, "method", "flood")
    for a in "xyz":
        s.attrs[f"fov_{a}"], s.attrs[f"delta_{a}"] = 9.0, 3.0
    layer = h.create_group("layers/000")
    text(layer, "op", "conv")
    layer.attrs["inputs"] = np.array([-1], np.int32)
    layer.attrs["kernel"] = np.ones(3, np.int32)
    layer.attrs["relu"] = np.int32(0)
    layer["weight"] = np.array([4, 0], np.float32).reshape(1, 2, 1, 1, 1)
    layer["bias"] = np.zeros(1, np.float32)
PYTHON

ui() { "$build/app/drive" connexon "$@"; }
fail() {
    echo "check_grow: $*" >&2
    sed 's/^/connexon said: /' "$work/log" >&2
    exit 1
}
await() { ui wait "$1" "$2" "${3:-60}" || fail "waited in vain for $1 \"$2\""; }
# point: the pointer over the bar in the middle of the xy pane
point() {
    box=$(ui box '' 'xy slice at*')
    xdotool mousemove "$(echo "$box" | awk '{ print $1 + int($3 / 2) + 6 }')" \
        "$(echo "$box" | awk '{ print $2 + int($4 / 2) + 6 }')"
    sleep 1
}

G_DEBUG=fatal-warnings "$build/app/connexon" --new-instance \
    "$work/bar.h5:/volumes/raw" "$work/bar.h5:/volumes/labels/neuron_ids" >"$work/log" 2>&1 &
window=$!
trap 'kill "$window" 2>/dev/null || true' EXIT
await '' 'xy slice at*' 300
await label '24 segments' 120
point
xdotool key o
await 'push button' Choose
sleep 1
xdotool key ctrl+l
sleep 1
xdotool type --delay 20 "$work/bright.h5"
sleep 1
xdotool key Return
await 'push button' 'Bring Together'
await label 'Bring 11 pieces of 11 segments into *'
[ -z "${CX_GROW_PICTURE:-}" ] || import -window root "$CX_GROW_PICTURE"
xdotool key Return
await label '13 segments'
await label 'all edits stored'
xdotool key ctrl+z
await label '24 segments'

# the network is remembered; Esc lets the object go
point
xdotool key o
await 'push button' 'Bring Together'
xdotool key Escape
sleep 1
xdotool key Return
sleep 2
ui name label '24 segments' >/dev/null || fail "an object that was discarded was carried out"
kill -0 "$window" 2>/dev/null || fail "the window is gone"
xdotool key ctrl+q
wait "$window" || fail "connexon ended with an error"
trap - EXIT
echo "grown, brought together, undone, discarded"
