#!/bin/sh
# The formatter has nothing to change.  Usage: format.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/../..}"
tool=$(command -v clang-format-14 || true)
[ -n "$tool" ] || {
    echo "clang-format-14 is not installed"
    exit 77
}
exec "$tool" --dry-run --Werror $(find core app tests -name '*.[ch]')
