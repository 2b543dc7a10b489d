#!/bin/sh
# ui_run.sh CMD [ARG...]: run CMD in a private X server and session bus with a
# compositor, private XDG folders, no animations.  CX_UI_SCREEN=1600x1000 sets
# the size of the screen, CX_UI_DATA keeps the XDG folders in a folder.  Exit
# 77 (skip) if something is missing.
set -eu
for tool in dbus-run-session xvfb-run xdotool; do
    command -v "$tool" >/dev/null || {
        echo "$tool is not installed" >&2
        exit 77
    }
done
T=$(mktemp -d "${TMPDIR:-/tmp}/connexon-ui.XXXXXX")
trap 'rm -rf "$T"' EXIT INT TERM
X=${CX_UI_DATA:-$T}
mkdir -p "$X/config/gtk-4.0" "$X/cache" "$X/data"
mkdir -m 700 "$T/run"
printf '[Settings]\ngtk-font-name=Cantarell 11\ngtk-enable-animations=false\ngtk-cursor-blink=false\n' \
    >"$X/config/gtk-4.0/settings.ini"
export XDG_RUNTIME_DIR="$T/run" XDG_CONFIG_HOME="$X/config" XDG_CACHE_HOME="$X/cache" XDG_DATA_HOME="$X/data"
export GSETTINGS_BACKEND=memory GDK_BACKEND=x11 LIBGL_ALWAYS_SOFTWARE=1 MESA_SHADER_CACHE_DISABLE=true
export GSK_RENDERER="${GSK_RENDERER:-cairo}" NO_AT_BRIDGE=0 LC_ALL=C.UTF-8
unset WAYLAND_DISPLAY DISPLAY DBUS_SESSION_BUS_ADDRESS || true
# 3 and 4 are the caller's stderr and stdout: what the daemons say goes away
dbus-run-session -- sh -c '
    exec 1>&4 2>&3 3>&- 4>&-
    exec xvfb-run -a -s "-screen 0 ${CX_UI_SCREEN:-1600x1000}x24 -nolisten tcp" sh -c '\''
        compositor=
        if command -v xcompmgr >/dev/null; then
            xcompmgr >/dev/null 2>&1 &
            compositor=$!
        fi
        "$@"
        result=$?
        [ -z "$compositor" ] || kill "$compositor" 2>/dev/null
        exit $result'\'' sh "$@"' sh "$@" 3>&2 4>&1 >/dev/null 2>&1
