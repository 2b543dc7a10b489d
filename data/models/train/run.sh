#!/bin/sh
# Trains, scores and exports both networks:  ./run.sh [DATA [WORK]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export CONNEXON_DATA="${1:-$here/../../../../shared/data}" OMP_NUM_THREADS=1
work=${2:-$(mktemp -d)}
py="${PYTHON:-python3}"
export PYTHONPATH="$here"
CONNEXON_DATA=$(cd "$CONNEXON_DATA" && pwd)
cd "$work"

# Thresholds: a network that never saw x >= 150 of the training block.
"$py" "$here/fib.py" --columns 150 --iters 2400 --out fib_choose.pt
"$py" "$here/predict.py" fib fib_choose.pt train.h5 fib_choose.h5
"$py" "$here/score_fib.py" fib_choose.h5 train.h5 --columns 150 --dust 1,1,3000,0.5

# The one that is shipped: all of the training block.
"$py" "$here/fib.py" --iters 4000 --out fib.pt
"$py" "$here/predict.py" fib fib.pt test.h5 fib_test.h5
"$py" "$here/score_fib.py" fib_test.h5 test.h5 --threshold 0.6 --dust 1,1,3000,0.5
"$py" "$here/export.py" fib fib.pt fib.h5 --card "$here/fib.json"

"$py" "$here/sstem.py" --hold 4 --iters 3000 --out sstem_choose.pt
"$py" "$here/score_sstem.py" sstem_choose.pt --hold 4
"$py" "$here/sstem.py" --iters 5000 --out sstem.pt
"$py" "$here/score_sstem.py" sstem.pt --vnc
"$py" "$here/export.py" sstem sstem.pt sstem.h5 --card "$here/sstem.json"
echo "models in $work"
