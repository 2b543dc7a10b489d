#!/bin/sh
# The desktop files say what the program does.  Usage: check_desktop.sh BUILD
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
desktop=$root/data/desktop
id=org.connexon.Connexon
for tool in desktop-file-validate appstreamcli; do
    command -v "$tool" >/dev/null || {
        echo "$tool is not installed"
        exit 77
    }
done
bad=0
check() {
    what=$1
    shift
    "$@" || {
        echo "$what: failed"
        bad=1
    }
}
out=$(desktop-file-validate --no-hints "$desktop/$id.desktop")
[ -z "$out" ] || {
    echo "$out"
    bad=1
}
check metainfo appstreamcli validate --no-net "$desktop/$id.metainfo.xml"
check settings glib-compile-schemas --strict --dry-run "$desktop"
check completion bash -n "$desktop/connexon.bash"
version=$("$1/app/connexon" --version)
check "version in the manual page" grep -q "Connexon ${version#connexon }" "$desktop/connexon.1"
check "version in the metainfo" grep -q "release version=\"${version#connexon }\"" "$desktop/$id.metainfo.xml"
for option in $("$1/app/connexon" --help | grep -o -- '--[a-z-]*' | sort -u); do
    case $option in
    --help* | --gapplication* | --gtk* | --) continue ;;
    esac
    escaped=$(printf '%s' "$option" | sed 's/-/\\\\-/g')
    check "$option in the manual page" grep -q -- "$escaped" "$desktop/connexon.1"
done
exit $bad
