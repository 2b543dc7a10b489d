#!/bin/sh
# Every include line crosses a border or stays at home; this lists the borders
# that may be crossed.  Usage: layers.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/../..}"
bad=0

complain() {
    printf '%s\n' "$1"
    bad=1
}

# project headers a folder may include, as one extended regular expression
allowed() {
    kernels='core/kernels'
    base="core/base|$kernels"
    jobs="core/jobs|$base"
    volume="core/volume|$jobs"
    nn="core/nn|$volume"
    segmentation="core/segmentation|$nn"
    shapes="core/mesh|core/skeleton|core/metrics"
    proofread="core/proofread|$shapes|$segmentation"
    core="core/export|core/review|$proofread|core/retina|core/theory"
    case $1 in
    core/kernels) echo "$kernels" ;;
    core/base) echo "$base" ;;
    core/jobs) echo "$jobs" ;;
    core/volume) echo "$volume" ;;
    core/nn) echo "$nn" ;;
    core/segmentation) echo "$segmentation" ;;
    core/mesh | core/skeleton | core/metrics) echo "$1|$segmentation" ;;
    core/proofread) echo "$proofread" ;;
    core/review) echo "core/review|$proofread" ;;
    core/export) echo "core/export|$proofread" ;;
    core/retina) echo "$1|$nn" ;;
    core/theory) echo "$1|core/retina|$nn" ;;
    app/render) echo "app/render|shaders|$core" ;;
    app/session) echo "app/session|$core" ;;
    app/cli) echo "app/cli|app/render|$core" ;;
    app/views) echo "app/views|app/session|app/render|$core" ;;
    app) echo "app/views|app/session" ;;
    esac
}

# system headers a folder must not include
forbidden() {
    case $1 in
    core/kernels) echo 'glib|gio|gtk|gdk|adwaita|epoxy|GL/|EGL/|tiff|hdf5|sqlite3' ;;
    core/*) echo 'gio|gtk|gdk|adwaita|epoxy|GL/|EGL/' ;;
    app/render) echo 'gio|gtk|gdk|adwaita' ;;
    app/session) echo 'gtk|gdk|adwaita|epoxy|GL/|EGL/' ;;
    app/cli) echo 'gtk|gdk|adwaita' ;;
    *) echo 'nothing-is-forbidden' ;;
    esac
}

for file in $(find core app -name '*.[ch]' | sort); do
    folder=$(dirname "$file")
    ok=$(allowed "$folder")
    [ -n "$ok" ] || {
        complain "$file: folder is not in the table of layers"
        continue
    }
    lines=$(grep -nE '^ *# *include "' "$file" | grep -vE "\"($ok)/[a-z0-9_]+\.(h|inc)\"" || true)
    [ -z "$lines" ] || complain "$file: crosses a border: $lines"
    lines=$(grep -nE "^ *# *include <($(forbidden "$folder"))" "$file" || true)
    [ -z "$lines" ] || complain "$file: header of another layer: $lines"
done

# the core does not know the screen
lines=$(grep -rnwiE 'widget|redraw' core --include='*.[ch]' || true)
[ -z "$lines" ] || complain "core speaks of the screen: $lines"
exit $bad
