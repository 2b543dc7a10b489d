#!/bin/sh
# Every header compiles alone.  Usage: headers.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/../..}"
bad=0
flags=$(pkg-config --cflags glib-2.0 gio-2.0 epoxy hdf5 libtiff-4 json-glib-1.0 sqlite3)
gui=
if pkg-config --exists gtk4 libadwaita-1; then
    gui=$(pkg-config --cflags gtk4 libadwaita-1)
fi
for header in $(find core app -name '*.h' | sort); do
    case $header in
    app/views/*) [ -n "$gui" ] || continue ;;
    esac
    printf '#include "%s"\n' "$header" |
        ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -I. $flags $gui -fsyntax-only -x c - || {
        echo "$header does not compile alone"
        bad=1
    }
done
exit $bad
