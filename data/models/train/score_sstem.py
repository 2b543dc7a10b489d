"""Scores of the ssTEM network: V_rand and V_info on ISBI, V_rand and pixel F1 on VNC.

score_sstem.py sstem.pt [--hold 4]   with --hold also the held-out training sections
"""
import argparse

import numpy as np
import torch

import sstem
from common import THREADS
from post import isbi_scores, section
from predict import load_net, predict

LEVELS = np.r_[0.02:0.1:0.02, 0.1:0.75:0.05]


def sweep(name, p, mem, sigmas=(0.5, 1.0, 1.5, 2.0)):
    for sg in sigmas:
        r = [(lv,) + tuple(np.mean([isbi_scores(section(q, sg, lv), ~m)
                                    for q, m in zip(p, mem)], 0)) for lv in LEVELS]
        a, b = max(r, key=lambda q: q[1]), max(r, key=lambda q: q[2])
        line = " ".join(f"{q[0]:.2f}:{q[1]:.3f}/{q[2]:.3f}" for q in r)
        print(f"{name} sigma {sg}: V_rand {a[1]:.4f} at {a[0]:.2f}, V_info {b[2]:.4f} "
              f"at {b[0]:.2f} | {line}", flush=True)


def pixel_f1(p, mem):
    q = p > 0.5
    return 2 * (q & mem).sum() / (q.sum() + mem.sum())


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("weights")
    ap.add_argument("--hold", type=int, default=0)
    ap.add_argument("--vnc", action="store_true")
    o = ap.parse_args()
    torch.set_num_threads(THREADS)
    mod, net = load_net("sstem", o.weights)
    sets = [("isbi test", *sstem.isbi("test"))]
    if o.hold:
        raw, mem = sstem.isbi("train")
        sets.insert(0, ("isbi val", raw, mem))
    if o.vnc:
        sets.append(("vnc test", *sstem.vnc("test")))
    for name, raw, mem in sets:
        p = predict(net, sstem.section_norm(raw), mod.OUTPUTS)[0]
        if name == "isbi val":
            p, mem = p[-o.hold:], mem[-o.hold:]
        print(f"{name}: pixel F1 {pixel_f1(p, mem):.4f}, error {((p > .5) != mem).mean():.4f}")
        sweep(name, p, mem, (1.0,) if name == "vnc test" else (0.5, 1.0, 2.0))


if __name__ == "__main__":
    main()
