"""Runs a network over a block in Python, as the program does it: mirrored borders, a halo of 64.

predict.py fib fib.pt test.h5 out.h5 [--views 3] [--lo 80]
"""
import argparse
import importlib

import h5py
import numpy as np
import torch

from common import THREADS, last

HALO = 64        # a multiple of 8 (the pooling grid) beyond the receptive field


def run(net, v, keep, halo=HALO, batch=4):
    """v: normalised [z][y][x] -> [c][z][y][x], f32."""
    half = net.cin // 2
    hi = [halo + -n % 8 for n in v.shape[1:]]
    x = np.pad(v, [(half, half), (halo, hi[0]), (halo, hi[1])], mode="reflect") \
        if len(v) > 1 else np.pad(np.repeat(v, net.cin, 0), [(0, 0), (halo, hi[0]), (halo, hi[1])],
                                  mode="reflect")
    out = []
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for z in range(0, len(v), batch):
            b = np.stack([x[k:k + net.cin] for k in range(z, min(z + batch, len(v)))])
            b = torch.from_numpy(b).contiguous(memory_format=torch.channels_last)
            out.append(torch.sigmoid(net(b).float())[:, :keep,
                       halo:halo + v.shape[1], halo:halo + v.shape[2]].numpy())
    return np.concatenate(out).transpose(1, 0, 2, 3)


def permute_outputs(outputs, perm):
    """Where channel c of a run on axes transposed by `perm` (z, y, x) lands."""
    rows = [tuple(r) for r in outputs]
    to = []
    for kind, dx, dy, dz in rows:
        d, e = (dz, dy, dx), [0, 0, 0]
        for i, p in enumerate(perm):
            e[p] = d[i]
        to.append(rows.index((kind, e[2], e[1], e[0])))
    return to


def predict(net, v, outputs, views=1, halo=HALO):
    acc = np.zeros((len(outputs),) + v.shape, np.float32)
    for perm in ((0, 1, 2), (1, 2, 0), (2, 0, 1))[:views]:
        y = run(net, np.ascontiguousarray(v.transpose(perm)), len(outputs), halo)
        inv = np.argsort(perm)
        for c, to in enumerate(permute_outputs(outputs, perm)):
            acc[to] += y[c].transpose(inv) / views
    return acc


def load_net(recipe, weights):
    mod = importlib.import_module(recipe)
    net = mod.make_net().eval()
    net.load_state_dict(torch.load(weights))
    return mod, last(net)


def save(path, name, p, outputs):
    with h5py.File(path, "w") as h:
        q = np.rint(p * 255).astype(np.uint8)
        d = h.create_dataset(name, data=q, compression="gzip", compression_opts=1)
        d.attrs["outputs"] = np.array(outputs, np.int32)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("recipe", choices=("fib", "sstem"))
    ap.add_argument("weights")
    ap.add_argument("source", help="fib: train.h5 or test.h5; sstem: train or test of ISBI")
    ap.add_argument("out")
    ap.add_argument("--views", type=int, default=1)
    ap.add_argument("--lo", type=int, default=0)
    ap.add_argument("--hi", type=int)
    o = ap.parse_args()
    torch.set_num_threads(THREADS)
    mod, net = load_net(o.recipe, o.weights)
    if o.recipe == "fib":
        raw = mod.load(o.source)[0]
        v = (raw.astype(np.float32) - mod.MEAN) / mod.STD
        p = predict(net, v, mod.OUTPUTS, o.views)[:, o.lo:o.hi]
        save(o.out, "aff", p, mod.OUTPUTS)
    else:
        v = mod.section_norm(mod.isbi(o.source)[0])
        save(o.out, "boundary", predict(net, v, mod.OUTPUTS)[0, o.lo:o.hi], mod.OUTPUTS)


if __name__ == "__main__":
    main()
