"""Trains the FIB-SEM network: 9 sections in, 9 affinities out (offsets 1, 3, 9 along x, y, z).

fib.py --columns 150 --out fib_choose.pt   trains on x < 150; the rest is for choosing
"""
import argparse
import multiprocessing as mp
import os

import h5py
import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage as ndi

from common import DATA, UNet, last, train

SECTIONS = 9                    # input channels
HALF = SECTIONS // 2
OFFSETS = (1, 3, 9)
FAR = max(OFFSETS)
MEAN, STD = 128.0, 35.0
CHANNELS = (16, 32, 64, 128)
# rows (kind, dx, dy, dz): affinity between p and p + offset
OUTPUTS = [(1,) + tuple(o if a == b else 0 for b in range(3)) for o in OFFSETS for a in range(3)]


def make_net():
    return UNet(SECTIONS, len(OUTPUTS) + 1, CHANNELS, len(OUTPUTS))


def load(name, lo=0, hi=None):
    with h5py.File(os.path.join(DATA, "fib-medulla", name)) as h:
        return (h["volumes/raw"][lo:hi],
                h["volumes/labels/neuron_ids"][lo:hi].astype(np.int16))


def border(lab):
    """Voxels that touch another label (6 neighbours)."""
    b = np.zeros(lab.shape, bool)
    for a in range(3):
        d = np.diff(lab, axis=a) != 0
        lo, hi = [slice(None)] * 3, [slice(None)] * 3
        lo[a], hi[a] = slice(0, -1), slice(1, None)
        b[tuple(lo)] |= d
        b[tuple(hi)] |= d
    return b


def prepare(raw, lab):
    b = border(lab)
    dist = np.tanh(ndi.distance_transform_edt(~b) / 6.0)
    return raw, lab, np.where(b, 0, lab).astype(np.int16), (dist * 255).astype(np.uint8)


def warp(raw, lab, rng):
    """One rotated, scaled and elastically bent copy."""
    n = raw.shape
    c = [(k - 1) / 2 for k in n]
    g = np.meshgrid(*[np.arange(k, dtype=np.float32) - m for k, m in zip(n, c)], indexing="ij")
    ang = rng.uniform(-0.7, 0.7, 3) * np.array([1, 0.35, 0.35])
    m = np.eye(3, dtype=np.float32)
    for a, (i, j) in zip(ang, ((1, 2), (0, 2), (0, 1))):
        r = np.eye(3, dtype=np.float32)
        r[i, i] = r[j, j] = np.cos(a)
        r[i, j], r[j, i] = -np.sin(a), np.sin(a)
        m = m @ r
    m *= rng.uniform(0.85, 1.15)
    at = []
    for i in range(3):
        f = rng.normal(0, 2.0, [k // 30 + 2 for k in n]).astype(np.float32)
        f = ndi.zoom(f, [k / s for k, s in zip(n, f.shape)], order=3)
        at.append(sum(m[i, j] * g[j] for j in range(3)) + c[i] + f)
    return (ndi.map_coordinates(raw, at, order=1, mode="mirror"),
            ndi.map_coordinates(lab, at, order=0, mode="mirror"))


def copy_of(raw, lab, seed, k):
    return prepare(*(warp(raw, lab, np.random.default_rng([seed, 1000 + k])) if k else (raw, lab)))


def spoil(v, rng):
    """Brightness, contrast, gamma, noise, blur, odd and shifted sections; v is normalised."""
    if rng.random() < 0.3:
        u = np.clip(v / 7.0 + 0.5, 0, 1) ** np.float32(rng.uniform(0.75, 1.35))
        v = (u - 0.5) * 7.0
    v = v * np.float32(rng.uniform(0.7, 1.35)) + np.float32(rng.uniform(-0.4, 0.4))
    if rng.random() < 0.15:
        s = rng.uniform(0.3, 0.9)
        v = ndi.gaussian_filter(v, (0, s, s), truncate=2.0)
    if rng.random() < 0.3:
        n = len(v)
        v = v * (1 + rng.normal(0, 0.06, (n, 1, 1)).astype(np.float32)) \
            + rng.normal(0, 0.08, (n, 1, 1)).astype(np.float32)
    if rng.random() < 0.7:
        v = v + rng.standard_normal(v.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.3))
    if rng.random() < 0.06:      # a lost section: black, or its neighbour again
        k = rng.integers(len(v))
        v = v.copy()
        v[k] = -MEAN / STD if rng.random() < 0.5 and k != HALF else v[k - 1 if k else 1]
    if rng.random() < 0.06:      # everything beyond one section is shifted
        k = rng.integers(1, HALF + 1)
        dy, dx = rng.integers(-2, 3, 2)
        v = v.copy()
        v[HALF + k:] = np.roll(v[HALF + k:], (dy, dx), (1, 2))
    return v


def cut(vols, shape, perm, rng):
    vol = vols[rng.integers(len(vols))]
    n = [vol[0].shape[p] for p in perm]
    at = [rng.integers(0, a - s + 1) for a, s in zip(n, shape)]
    sl = tuple(slice(a, a + s) for a, s in zip(at, shape))
    flip = tuple(slice(None, None, -1) if rng.random() < 0.5 else slice(None) for _ in shape)
    return [v.transpose(perm)[sl][flip] for v in vol], [f.step == -1 for f in flip]


def same(lab, z, h, w):
    """Affinity of section z of a crop, channels in the order of OUTPUTS."""
    here = lab[z, :h, :w]
    out = np.empty((len(OUTPUTS), h, w), np.float32)
    for c, (_, dx, dy, dz) in enumerate(OUTPUTS):
        out[c] = (here == lab[z + dz, dy:dy + h, dx:dx + w]) & (here != 0)
    return out


def labelled(vols, perm, h, w, rng):
    (raw, lab, ero, dist), _ = cut(vols, (HALF + 1 + FAR, h + FAR, w + FAR), perm, rng)
    t = 0.5 * same(lab, HALF, h, w) + 0.5 * same(ero, HALF, h, w)
    t = np.concatenate([t, dist[HALF, :h, :w][None] / np.float32(255)])
    return raw, t, lab[HALF, :h, :w] != 0


def taught(vols, perm, h, w, rng):
    """A crop whose targets are another network's output (no distance channel: -1)."""
    (raw, *aff), flip = cut(vols, (HALF + 1 + FAR, h + FAR, w + FAR), perm, rng)
    t = np.full((len(OUTPUTS) + 1, h, w), -1, np.float32)
    for c, (_, dx, dy, dz) in enumerate(OUTPUTS):
        d, e = (dz, dy, dx), [0, 0, 0]
        for i, p in enumerate(perm):
            e[p] = d[i]
        src = aff[OUTPUTS.index((1, e[2], e[1], e[0]))]
        # a mirrored axis: the pair (p, p + o) is now stored at its other end
        z, y, x = (o if f else 0 for o, f in zip(d, flip))
        t[c] = src[HALF + z, y:y + h, x:x + w] / np.float32(255)
    return raw, t, np.ones((h, w), bool)


def batch(vols, soft, rng):
    perm = (0, 1, 2) if rng.random() < 0.4 else tuple(rng.permutation(3))
    h, w = (128 if vols[0][0].shape[p] >= 128 + FAR else 64 for p in perm[1:])
    x, y, m = [], [], []
    for _ in range(4 * 128 * 128 // (h * w)):
        pick = taught if soft and rng.random() < 0.5 else labelled
        raw, t, k = pick(soft if pick is taught else vols, perm, h, w, rng)
        v = (raw[:SECTIONS, :h, :w].astype(np.float32) - MEAN) / STD
        x.append(spoil(v, rng))
        y.append(t)
        m.append(k[None])
    return tuple(np.stack(a).astype(np.float32) for a in (x, y, m))


def loss(p, y, m):
    t, n = y[:, :-1], len(OUTPUTS)
    aff = F.binary_cross_entropy_with_logits(p[:, :n], t, weight=(2 - t) * m)
    d = y[:, n:]
    return aff + 0.5 * ((torch.sigmoid(p[:, n:]) - d) ** 2 * m * (d >= 0)).mean()


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--slices", type=int, default=100)
    ap.add_argument("--columns", type=int, default=250)
    ap.add_argument("--iters", type=int, default=4000)
    ap.add_argument("--copies", type=int, default=6)
    ap.add_argument("--start", help="weights to start from")
    ap.add_argument("--taught", help="the unlabelled block as teach.py labelled it")
    ap.add_argument("--lr", type=float, default=3e-3)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--out", default="fib.pt")
    o = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(o.seed)
    raw, lab = (np.ascontiguousarray(a[:, :, :o.columns])
                for a in load("train.h5", 0, o.slices))
    with mp.get_context("fork").Pool(2) as pool:
        vols = pool.starmap(copy_of, [(raw, lab, o.seed, k) for k in range(o.copies + 1)])
    vols = vols[:1] * o.copies + vols[1:]     # half unbent: interpolation smooths the noise away
    print(f"{len(vols)} volumes", flush=True)
    net = make_net()
    if o.start:
        net.load_state_dict(torch.load(o.start))
    soft = [tuple(np.load(o.taught)["block"])] if o.taught else None
    train(last(net), lambda r: batch(vols, soft, r), loss, o.iters, o.lr, o.seed, o.out[:-3])


if __name__ == "__main__":
    main()
