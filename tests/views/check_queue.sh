#!/bin/sh
# The review queue through the window: it asks, an answer is an edit, undo
# takes it back, what was answered is not asked again, scores follow.
# Usage: check_queue.sh BUILD
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
[ -n "${CX_QUEUE_INSIDE:-}" ] || {
    export CX_QUEUE_INSIDE=1
    exec "$here/ui_run.sh" "$0" "$build"
}
dir=$XDG_RUNTIME_DIR
log=$dir/log
ui() { "$build/app/drive" connexon "$@"; }
cli() { "$build/app/cli/connexon-cli" "$@" --quiet; }
fail() {
    echo "check_queue: $*" >&2
    picture failed
    sed 's/^/connexon said: /' "$log" >&2
    exit 1
}
await() { ui wait "$1" "$2" "${3:-60}" || fail "waited in vain for $1 \"$2\""; }
picture() {
    [ -z "${CX_QUEUE_PICTURES:-}" ] || import -window root -crop 1370x850+0+0 +repage "$CX_QUEUE_PICTURES/$1.png"
}

cli sample "$dir/s" --size 256,256,40 >/dev/null
cli segment "$dir/s/sample.h5:/volumes/raw" "$dir/p.connexon" >/dev/null
G_DEBUG=fatal-warnings "$build/app/connexon" --new-instance "$dir/p.connexon" >"$log" 2>&1 &
window=$!
trap 'kill "$window" 2>/dev/null || true' EXIT
await '' 'xy slice at*' 300
ui click '' Queue || fail "there is no page Queue"
await 'label' 'Review Queue'
picture off
ui click 'push button' Start || fail "there is no button Start"
await label 'Same neuron?'
sleep 2
picture asked
[ -z "$(ui unnamed)" ] || fail "controls without a name: $(ui unnamed)"

# each answer here is an edit: yes to two segments, no to one
set -- $(ui box '' 'xy slice at*')
xdotool mousemove $(($1 + 60)) $(($2 + 60)) click 1
for n in 1 2 3 4; do
    if ui box label '*may be two neurons*' >/dev/null 2>&1; then
        xdotool key u
    else
        xdotool key y
    fi
    await label "$n answered*"
    sleep 1
done
xdotool key n
xdotool key shift+n
xdotool key question
await label '5 answered*'
picture answered
await label 'all edits stored*'
edits=$(cli log "$dir/p.connexon" --json | grep -o '"sequence"' | wc -l)
[ "$edits" -eq 4 ] || fail "found $edits edits after four answers, expected 4"
xdotool key ctrl+z
sleep 1
xdotool key ctrl+q
wait "$window" || true
cli check "$dir/p.connexon" >/dev/null || fail "the project is damaged"
