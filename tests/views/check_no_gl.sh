#!/bin/sh
# Without OpenGL the window says so and goes on.  Usage: check_no_gl.sh BUILD
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
[ -n "${CX_NO_GL_INSIDE:-}" ] || {
    export CX_NO_GL_INSIDE=1
    exec "$here/ui_run.sh" "$0" "$build"
}
log=$XDG_RUNTIME_DIR/log
GDK_DEBUG=gl-disable "$build/app/connexon" --new-instance --sample >"$log" 2>&1 &
window=$!
trap 'kill "$window" 2>/dev/null || true' EXIT
"$build/app/drive" connexon wait label 'The Panes Cannot Be Drawn' 240
"$build/app/drive" connexon wait label '[0-9]* segments' 120
kill -0 "$window"
! grep -i 'critical\|assertion' "$log"
