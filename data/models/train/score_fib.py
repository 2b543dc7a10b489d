"""Segments a predicted block with the Python reference and prints VOI and ARAND for a grid.

score_fib.py aff.h5 train.h5 --columns 150    the part x >= 150, for choosing
score_fib.py aff.h5 test.h5 --threshold 0.6   the held-out block
"""
import argparse
import itertools

import h5py
import numpy as np

import fib
from post import agglomerate, edges, finish, fragments, oracle, score


def numbers(text):
    return [float(v) for v in text.split(",")]


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("affinities")
    ap.add_argument("truth")
    ap.add_argument("--columns", type=int, default=0, help="score x >= this")
    ap.add_argument("--threshold", type=numbers, default=list(np.arange(0.4, 0.86, 0.05)))
    ap.add_argument("--seed-level", type=numbers, default=[0.4])
    ap.add_argument("--seed-sigma", type=numbers, default=[1.0])
    ap.add_argument("--seed-distance", type=numbers, default=[2])
    ap.add_argument("--border-sigma", type=numbers, default=[0.5])
    ap.add_argument("--long-weight", type=numbers, default=[0.0])
    ap.add_argument("--dust", type=numbers, default=[1, 1], help="voxels,threshold pairs")
    o = ap.parse_args()
    with h5py.File(o.affinities) as h:
        aff = h["aff"][..., o.columns:].astype(np.float32) / 255
        outputs = [tuple(int(v) for v in r) for r in h["aff"].attrs["outputs"]]
    truth = fib.load(o.truth)[1][..., o.columns:]
    for sl, ss, sd, bs in itertools.product(o.seed_level, o.seed_sigma, o.seed_distance,
                                            o.border_sigma):
        frag = fragments(aff, outputs, {"seed_level": sl, "seed_sigma": ss,
                                        "seed_distance": int(sd), "border_sigma": bs})
        s, m, _ = oracle(frag, truth)
        print(f"seed {sl} {ss} {sd:.0f} border {bs}: {frag.max()} fragments, "
              f"best merging {s:.3f} + {m:.3f} = {s + m:.3f}", flush=True)
        for lw in o.long_weight:
            e = edges(aff, outputs, frag, lw)
            tree = agglomerate(int(frag.max()) + 1, e)
            for dv, dt in zip(o.dust[::2], o.dust[1::2]):
                rows = []
                for t in o.threshold:
                    seg = finish(frag, tree, e, t, {"dust_voxels": dv, "dust_threshold": dt})
                    rows.append((t, *score(seg, truth)))
                line = " ".join(f"{r[0]:.2f}:{r[1] + r[2]:.3f}" for r in rows)
                b = min(rows, key=lambda r: r[1] + r[2])
                print(f"  long {lw} dust {dv:.0f}/{dt}: {line} | {b[0]:.2f}: {b[1]:.3f} + "
                      f"{b[2]:.3f} = {b[1] + b[2]:.3f}, ARAND {b[3]:.3f}", flush=True)


if __name__ == "__main__":
    main()
