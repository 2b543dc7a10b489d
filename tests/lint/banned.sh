#!/bin/sh
# Constructs the project does without.  A line may be let through by the
# comment lint-ok with its reason.  Usage: banned.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/../..}"
bad=0

# forbid WHAT PATTERN FILES…
forbid() {
    what=$1 pattern=$2
    shift 2
    [ $# -gt 0 ] || return 0
    lines=$(grep -nE "$pattern" "$@" /dev/null | grep -vE 'lint-ok: |^[^:]*:[0-9]+: \*' || true)
    [ -z "$lines" ] || {
        printf '%s:\n%s\n' "$what" "$lines"
        bad=1
    }
}

files=$(find core app tests -name '*.[ch]' | sort)
product=$(printf '%s\n' $files | grep -E '^(core|app)/')
others() { printf '%s\n' $product | grep -vE "$1" || true; }

forbid 'unchecked or old C calls' '(^|[^a-z_0-9>.])(malloc|calloc|realloc|free|strtol|strtoul|strtod|atoi|atof|sprintf|strcpy|strcat|gets)\(' $product
forbid 'owned local without an initialiser' '^ *g_auto(ptr|free)[^=]*;' $files
forbid 'types of no fixed width' '^[^*/]*\b(unsigned long|long|off_t|ssize_t)\b +[a-z_*]+' $product
forbid 'tab' '	' $files
forbid 'unfinished' '\b(TODO|FIXME|XXX)\b' $files
forbid 'sqlite3_open outside the journal' 'sqlite3_open' $(others 'core/proofread/journal')
forbid 'libtiff opened outside core/volume' 'TIFF(Fd|Client)?Open(Ext)?\(' $(others 'core/volume/')
forbid 'the end of the program decided in a library' '(^|[^a-z_])(abort|exit)\(' $(others 'app/cli|app/main')
for file in $files; do
    grep -q 'SPDX-License-Identifier: Apache-2.0' "$file" || {
        echo "$file: no licence line"
        bad=1
    }
done
exit $bad
