#!/bin/sh
# Global symbols carry the prefix of their layer, and the core has no mutable
# globals.  Usage: symbols.sh BUILD_DIR
set -eu
build=$1
bad=0
tools='^(__?_?(asan|ubsan|odr|gcov|sanitizer)|\.L)'

complain() { # LIBRARY WHAT NAMES
    [ -z "$3" ] || {
        echo "$1: $2:" $3
        bad=1
    }
}

prefixed() { # FOLDER PREFIX
    for library in $(find "$build/$1" -name '*.a' 2>/dev/null); do
        complain "$library" "symbols without the prefix $2" "$(nm --defined-only -g "$library" 2>/dev/null |
            awk 'NF == 3 && $2 ~ /[TDBRC]/ {print $3}' | grep -vE "^($2)" | grep -vE "$tools" || true)"
    done
}

prefixed core cx_
prefixed app/render 'cxgl_'
prefixed app/session 'cxui_'
prefixed app/views 'cxui_'

# Constants with pointers lie in .data.rel.ro and are fine; G_DEFINE_QUARK and
# g_once leave function-local statics (name.N, *_once).
for library in $(find "$build/core" -name '*.a'); do
    complain "$library" 'mutable globals' "$(objdump -t "$library" 2>/dev/null |
        awk 'NF >= 5 && $(NF - 2) ~ /^(\.data|\.bss|\*COM\*|\.data\.local|\.tbss)/ && $(NF - 2) !~ /rel\.ro/ && $2 !~ /d/ && $3 != "df" {print $NF}' |
        grep -vE '(\.[0-9]+|_once|_lock|_quark)$|^q$|^\.(data|bss)' | grep -vE "$tools" || true)"
done
exit $bad
