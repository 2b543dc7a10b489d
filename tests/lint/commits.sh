#!/bin/sh
# Subjects read "area: what it does now", at most 60 characters, no full stop.
set -eu
cd "${1:-$(dirname "$0")/../..}"
git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1 || {
    echo "not a git checkout"
    exit 77
}
git -c safe.directory='*' log --no-merges --format=%s -n 200 | awk '
    length($0) > 72 || !/^[a-zA-Z0-9_\/., -]+: [^ ]/ || /\.$/ { print "subject: " $0; bad = 1 }
    END { exit bad }'
