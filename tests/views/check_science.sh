#!/bin/sh
# The Retina and Models pages through the window: they are there, play, step
# and seek, channels go in and out, measures arrive, models run and stop, and
# the stage comes and goes.  Usage: check_science.sh BUILD
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
[ -n "${CX_SCIENCE_INSIDE:-}" ] || {
    command -v convert >/dev/null || {
        echo "imagemagick is not installed" >&2
        exit 77
    }
    export CX_SCIENCE_INSIDE=1
    exec "$here/ui_run.sh" "$0" "$build"
}
dir=$XDG_RUNTIME_DIR
log=$dir/log
ui() { "$build/app/drive" connexon "$@"; }
fail() {
    echo "check_science: $*" >&2
    [ -z "${CX_SCIENCE_PICTURES:-}" ] || import -window root "$CX_SCIENCE_PICTURES/failed.png"
    sed 's/^/connexon said: /' "$log" >&2
    exit 1
}
await() { ui wait "$1" "$2" "${3:-60}" || fail "waited in vain for $1 \"$2\""; }
picture() {
    [ -z "${CX_SCIENCE_PICTURES:-}" ] || import -window root "$CX_SCIENCE_PICTURES/$1.png"
}
key() {
    xdotool key "$1"
    sleep 0.4
}
frame() { ui name label '*frame * of *'; }

G_DEBUG=fatal-warnings "$build/app/connexon" --new-instance >"$log" 2>&1 &
window=$!
trap 'kill "$window" 2>/dev/null || true' EXIT
await '' 'Proofread' 120

# --- Retina
key alt+2
await '' 'Firing rates over time'
await label 'Simulated retina, no recording*completeness error*' 240
await label '*frame * of *'
await '' 'Mute channel 1' 60
sleep 2
picture retina
[ -z "$(ui unnamed)" ] || fail "controls without a name: $(ui unnamed)"

# one frame on, one back
before=$(frame)
key Right
after=$(frame)
[ "$before" != "$after" ] || fail "an arrow key does not step: $before"
key Left
[ "$(frame)" = "$before" ] || fail "stepping back leads to $(frame), expected $before"

# playing moves it, and stops
key space
sleep 1.5
key space
stopped=$(frame)
[ "$stopped" != "$before" ] || fail "it does not play"
sleep 0.6
[ "$(frame)" = "$stopped" ] || fail "it does not stop"

# drag on the traces: seek
set -- $(ui box '' 'Firing rates over time')
xdotool mousemove $(($1 + $3 / 3)) $(($2 + $4 / 2)) mousedown 1
sleep 0.1
xdotool mousemove $(($1 + $3 * 2 / 3)) $(($2 + $4 / 2))
sleep 0.3
xdotool mouseup 1
sleep 0.3
[ "$(frame)" != "$stopped" ] || fail "dragging does not seek"

# a channel out, by its key
key 1
ui click '' Prune || fail "there is no page Prune"
await label '*This film, 7 of 8 channels*' 60
picture prune
key 1
await label '*This film, 8 of 8 channels*' 60

ui click '' Sweep || fail "there is no page Sweep"
await label 'Network: *' 300
picture sweep

# another protocol, chosen by hand
set -- $(ui box 'combo box' 'Protocol')
xdotool mousemove $(($1 + 60)) $(($2 + 10)) click 1
sleep 0.6
key Down
key Return
await label 'Peak after the step*' 240
picture latency

# --- Models
key alt+3
await '' 'State of the network'
await label '*patterns in*units'
ui click '' 'Start from the Picture' || fail "there is no Start button"
await label 'Remembers *' 60
picture hopfield
ui click '' 'Start from a Mixture of Three' || fail "there is no mixture"
sleep 3
picture mixture
[ -z "$(ui unnamed)" ] || fail "controls without a name: $(ui unnamed)"
ui click '' 'Sparse Coding' || fail "there is no page Sparse Coding"
ui click '' 'Learn' || fail "there is no Learn button"
await label 'Batch *' 120
picture sparse
key space
await '' 'Learn' 30
ui click '' 'SynFlow Pruning' || fail "there is no page SynFlow"
ui click '' 'Prune' || fail "there is no Prune button"
await '' 'Cancel' 20
sleep 1
key space
await '' 'Prune' 30
picture flow

# --- stage
key alt+2
key F11
key F11
sleep 1
picture stage
ui gone '' 'Circuit of the network' 10 || fail "panels are shown on the stage"
key Right
picture keys
key F11
await '' 'Circuit of the network' 10
key alt+1
await '' '*Open _Sample*'
kill -0 "$window" || fail "the window is gone"
