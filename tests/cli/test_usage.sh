#!/bin/sh
# Wrong usage, missing files and help: exit codes and sentences.
# Usage: test_usage.sh CONNEXON-CLI
# SPDX-License-Identifier: Apache-2.0
set -u
cli=$(realpath "$1")
. "$(dirname "$0")/tap.sh"

exits 0 --version && grep -q '^connexon-cli [0-9]' "$work/out"
ok "version"
exits 0 --help && grep -q '  segment ' "$work/out"
ok "help lists the commands"
for command in $(sed -n 's/^  \([a-z]*\)  .*/\1/p' "$work/out"); do
    exits 0 "$command" --help && grep -q "connexon-cli $command" "$work/out"
    ok "help of $command"
done
exits 0 --man && grep -q '^.SS segment VOLUME OUT' "$work/out"
ok "man page"
if command -v man >/dev/null && man -l "$work/out" 2>&1 >/dev/null | grep .; then
    false
fi
ok "man finds nothing wrong with it"
exits 2
ok "no command"
exits 2 frobnicate && grep -q frobnicate "$work/err"
ok "unknown command"
exits 2 info
ok "argument missing"
exits 2 info a b
ok "argument too many"
exits 2 info a --frob && grep -q -- --frob "$work/err"
ok "unknown option"
exits 2 convert a b --box 1,2,3
ok "box of three numbers"
exits 2 convert a b --box 5,0,0,5,1,1
ok "empty box"
exits 2 convert a b --voxel-nm 1,0,1
ok "voxel size zero"
exits 2 segment a b.connexon --index 2 && exits 2 segment a b.connexon --index 2 --of 2
ok "a share without a whole, or beyond it"
exits 2 segment a b --threads many
ok "threads no number"
exits 2 segment a b --threads
ok "value missing"
exits 2 segment a b --json=1
ok "flag with a value"
exits 2 mesh a b.ply --id 0
ok "id zero"
exits 2 mesh a b.ply --id 18446744073709551616
ok "id of 65 bits"
exits 2 mesh a b.ply
ok "mesh of what"
exits 2 edit a.connexon frob
ok "unknown edit"
exits 2 edit a.connexon merge 1
ok "merge with nothing"
exits 2 bench frob
ok "unknown bench"
exits 2 export a.connexon b.zarr --what everything
ok "unknown export"
exits 2 render a b.jpg
ok "picture that is no PNG"
fails_with "$work/none.tif" info "$work/none.tif"
ok "missing volume"
fails_with "$work/none.connexon" check "$work/none.connexon"
ok "missing project"
echo hello >"$work/a.connexon"
fails_with "$work/a.connexon" info "$work/a.connexon"
ok "a text is no project"
echo hello >"$work/a.tif"
fails_with "$work/a.tif" info "$work/a.tif"
ok "a text is no TIFF"
fails_with "no model file" segment "$work/a.tif" "$work/o.h5" --model /none.h5 ||
    fails_with "a.tif" segment "$work/a.tif" "$work/o.h5" --model /none.h5
ok "no model"
[ ! -e "$work/o.h5" ]
ok "nothing is left of a failure"
cp "$work/a.tif" "$work/b.h5"
fails_with "--force" convert "$work/a.tif" "$work/b.h5"
ok "an output is not overwritten"
fails_with "also an input" convert "$work/a.tif" "$work/a.tif" --force
ok "an input is not overwritten"
plan
