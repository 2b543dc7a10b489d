# Test Anything Protocol for shell: sourced by the tests of the commands.
# SPDX-License-Identifier: Apache-2.0
n_tests=0
python=${CX_PYTHON:-/usr/bin/python3} # the one that has h5py and numpy
work=$(mktemp -d "${TMPDIR:-/tmp}/cx-cli-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# ok NAME: the last command decides.
ok() {
    status=$?
    n_tests=$((n_tests + 1))
    if [ $status -eq 0 ]; then
        echo "ok $n_tests $1"
    else
        echo "not ok $n_tests $1"
        sed 's/^/# stdout: /' "$work/out" 2>/dev/null | head -5
        sed 's/^/# stderr: /' "$work/err" 2>/dev/null | head -5
    fi
    return 0
}

# skip NAME WHY
skip() {
    n_tests=$((n_tests + 1))
    echo "ok $n_tests $1 # SKIP $2"
}

plan() {
    echo "1..$n_tests"
}

# cli ARGS…: runs the program; its output goes to $work/out and $work/err.
cli() {
    "$cli" "$@" >"$work/out" 2>"$work/err"
}

# exits CODE ARGS…
exits() {
    wanted=$1
    shift
    cli "$@"
    found=$?
    [ $found -eq "$wanted" ] || {
        echo "# exit code $found, expected $wanted: $*"
        return 1
    }
}

# fails_with TEXT ARGS…: exit code 1, nothing on stdout, one line on stderr
# that holds the text.
fails_with() {
    text=$1
    shift
    exits 1 "$@" --quiet && [ ! -s "$work/out" ] &&
        [ "$(wc -l <"$work/err")" -eq 1 ] && grep -qF -- "$text" "$work/err"
}

# json EXPRESSION: a Python expression over `r`, the object that was printed.
json() {
    "$python" -c "
import json, sys
r = json.load(open('$work/out'))
sys.exit(0 if ($1) else 1)"
}

# value EXPRESSION: prints it.
value() {
    "$python" -c "
import json
r = json.load(open('$work/out'))
print($1)"
}

# have_python NAME: true if voxels can be compared; else a skip is said.
have_python() {
    "$python" -c 'import h5py, numpy, scipy, tifffile' 2>/dev/null && return 0
    skip "$1" "no Python with h5py, numpy, scipy and tifffile"
    return 1
}

# readable VOLUME: its name, or that of a copy in HDF5 where no reader but our
# own is at hand.
readable() {
    case $1 in
    *.zarr)
        rm -f "$work/readable.h5"
        "$cli" convert "$1" "$work/readable.h5" --quiet >/dev/null || return 1
        echo "$work/readable.h5"
        ;;
    *) echo "$1" ;;
    esac
}
