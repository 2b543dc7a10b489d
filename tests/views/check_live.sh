#!/bin/sh
# The live prediction through the window: it is drawn, says that it is done,
# and goes; the model is chosen by hand; a network of sections says which pane
# to look at.  Usage: check_live.sh BUILD
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
[ -n "${CX_LIVE_INSIDE:-}" ] || {
    command -v convert >/dev/null || {
        echo "imagemagick is not installed" >&2
        exit 77
    }
    export CX_LIVE_INSIDE=1
    exec "$here/ui_run.sh" "$0" "$build"
}
dir=$XDG_RUNTIME_DIR
log=$dir/log
ui() { "$build/app/drive" connexon "$@"; }
fail() {
    echo "check_live: $*" >&2
    [ -z "${CX_LIVE_PICTURES:-}" ] || import -window root "$CX_LIVE_PICTURES/failed.png"
    sed 's/^/connexon said: /' "$log" >&2
    exit 1
}
await() { ui wait "$1" "$2" "${3:-60}" || fail "waited in vain for $1 \"$2\""; }
picture() {
    [ -z "${CX_LIVE_PICTURES:-}" ] || import -window root -crop 1370x850+0+0 +repage "$CX_LIVE_PICTURES/$1.png"
}

# amber: how many pixels of the xy pane have the colour of the prediction
amber() {
    set -- $(ui box '' 'xy slice at*')
    import -window root -crop "$3x$4+$1+$2" +repage "$dir/pane.png"
    convert "$dir/pane.png" -fx 'r-b>0.15&&g-b>0.05' -format '%[fx:floor(mean*w*h)]' info:
}

"$build/app/cli/connexon-cli" sample "$dir/s" --size 256,256,32 --quiet >/dev/null
G_DEBUG=fatal-warnings "$build/app/connexon" --new-instance "$dir/s/sample.h5:/volumes/raw" >"$log" 2>&1 &
window=$!
trap 'kill "$window" 2>/dev/null || true' EXIT
await '' 'xy slice at*' 300
sleep 2
set -- $(ui box '' 'xy slice at*')
xdotool mousemove $(($1 + 60)) $(($2 + 60))
ui click '' Layers || fail "there is no page Layers"
before=$(amber)

xdotool key p
await label 'Up to date*' 120
sleep 1
picture live
during=$(amber)
[ "$during" -gt $((before + 2000)) ] || fail "found $during pixels of a prediction, $before before it"

# the next section is there with its picture: it was predicted ahead
xdotool key period
await '' 'xy slice at*z 17*'
await label 'Up to date*'
[ "$(amber)" -gt $((before + 2000)) ] || fail "section 17 shows no prediction"

# another output of the network, chosen by hand
set -- $(ui box 'combo box' 'Output drawn')
xdotool mousemove $(($1 + 60)) $(($2 + 10)) click 1
await '' 'Apart along z, 9*'
xdotool key Down Return
await label 'Apart along x'
await label 'Up to date*'
picture channel
set -- $(ui box '' 'xy slice at*')
xdotool mousemove $(($1 + 60)) $(($2 + 60))

xdotool key ctrl+m
await '' 'Compute with*'
picture model
[ -z "$(ui unnamed)" ] || fail "controls without a name: $(ui unnamed)"
set -- $(ui box 'check box' sstem)
xdotool mousemove $(($1 + $3 / 2)) $(($2 + $4 / 2)) click 1
await label '*forbids commercial use*'
await label '*trained at 4 × 4 × 50 nm*'
picture warning
xdotool key Escape
await label '*predicts sections along z: see xy'
await label 'Up to date*' 120
picture sections

xdotool key p
sleep 1
[ "$(amber)" -le $((before + 500)) ] || fail "the prediction is still drawn"
kill -0 "$window" || fail "the window is gone"
