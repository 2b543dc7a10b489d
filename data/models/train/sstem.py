"""Trains the ssTEM membrane network: 3 sections in, membrane probability of the middle one out.

sstem.py --hold 4 --iters 3000 --out sstem_val.pt   the last 4 ISBI training sections held out
"""
import argparse
import glob
import os

import numpy as np
import tifffile
import torch
import torch.nn.functional as F
from scipy import ndimage as ndi
from skimage.io import imread
from skimage.segmentation import watershed

from common import DATA, UNet, last, train

SECTIONS = 3
CHANNELS = (16, 32, 64, 128)
OUTPUTS = [(0, 0, 0, 0)]
SIDE = 256
BATCH = 1        # a rank
PLAIN = 0.6      # share of patches without interpolation, which smooths the noise away


def make_net():
    return UNet(SECTIONS, 2, CHANNELS, 1)


def section_norm(v):
    """(v - mean) / std of each section, over a regular grid of voxels, zeros left out."""
    out = np.empty(v.shape, np.float32)
    step = max(1, min(v.shape[1:]) // 256)
    for z, s in enumerate(v):
        g = s[::step, ::step].astype(np.float64)
        g = g[g != 0] if (g != 0).any() else g
        out[z] = (s - g.mean()) / max(g.std(), 1.0)
    return out


def isbi(part):
    d = os.path.join(DATA, "sstem-isbi", part)
    return tifffile.imread(d + "_raw.tif"), (tifffile.imread(d + "_membranes.tif") < 128)


def vnc(part):
    d = os.path.join(DATA, "sstem-vnc", part)
    raw = np.stack([tifffile.imread(f) for f in sorted(glob.glob(d + "/raw/*.tif"))])
    mem = np.stack([imread(f) for f in sorted(glob.glob(d + "/membranes/*.png"))])
    return raw, (mem if mem.ndim == 3 else mem[..., 0]) > 127


def neighbours(v, z, rng):
    """Sections z-1, z, z+1; mirrored at the ends, now and then repeated or replaced."""
    a, b = (z - 1 if z else 1), (z + 1 if z + 1 < len(v) else z - 1)
    r = rng.random()
    if r < 0.15:
        a = b = z
    elif r < 0.22:
        a = b
    elif r < 0.29:
        b = a
    return a, b


def warp_grid(rng, size):
    """Coordinates of a rotated, scaled, bent patch of `size` around a random centre."""
    g = np.mgrid[0:size, 0:size].astype(np.float32) - (size - 1) / 2
    ang, sc = rng.uniform(-np.pi, np.pi), rng.uniform(0.85, 1.2)
    asp = rng.uniform(0.93, 1.07)
    c, s = np.cos(ang) * sc, np.sin(ang) * sc
    y, x = c * g[0] * asp - s * g[1], s * g[0] * asp + c * g[1]
    amp = rng.uniform(0, 5)
    k = size // 40 + 3
    f = [ndi.zoom(rng.normal(0, amp, (k, k)).astype(np.float32), size / k, order=3)
         for _ in range(2)]
    return np.stack([y + f[0], x + f[1]])


def spoil(v, rng):
    """v: 3 x H x W, normalised. Every section gets a tone of its own."""
    out = np.empty_like(v)
    blur = rng.uniform(0.3, 1.2) if rng.random() < 0.15 else 0
    noise = rng.uniform(0, 0.35) if rng.random() < 0.7 else 0
    gamma = rng.uniform(0.7, 1.45) if rng.random() < 0.4 else 1
    tone = rng.uniform(0.7, 1.35), rng.uniform(-0.4, 0.4)
    shape = v.shape[1:]
    if rng.random() < 0.25:      # uneven light
        k = rng.normal(0, 0.3, (3, 3)).astype(np.float32)
        shade = ndi.zoom(k, [n / 3 for n in shape], order=1)
    else:
        shade = np.float32(0)
    for i, s in enumerate(v):
        if gamma != 1:
            s = (np.clip(s / 8 + 0.5, 0, 1) ** gamma - 0.5) * 8
        s = s * (tone[0] * (1 + rng.normal(0, 0.07))) + tone[1] + rng.normal(0, 0.07) + shade
        if blur:
            s = ndi.gaussian_filter(s, blur, truncate=2.0)
        if noise:
            s = s + rng.standard_normal(shape, dtype=np.float32) * noise
        out[i] = s
    return out


def ridges(mem):
    """Closeness (0 to 255) to the lines that part two cells: a hole there joins them."""
    out = np.empty(mem.shape, np.uint8)
    for z, m in enumerate(mem):
        lab, _ = ndi.label(~m)
        line = watershed(ndi.gaussian_filter(m.astype(np.float32), 2), lab,
                         watershed_line=True) == 0
        near = ndi.gaussian_filter(line.astype(np.float32), 2.0) * 5.0     # 1 on a straight line
        out[z] = np.rint(255 * np.clip(near, 0, 1) * m)
    return out


def stacks(hold, with_vnc):
    """(normalised raw, membrane, ridges, scale) per data set; membranes True = membrane."""
    r, m = isbi("train")
    n = len(r) - hold
    out = [(section_norm(r)[:n], m[:n].astype(np.uint8), ridges(m[:n]), 1.0)]
    if with_vnc:
        r, m = vnc("train")
        out.append((section_norm(r), m.astype(np.uint8), ridges(m), 4.6 / 4.0))
    return out


def plain_patch(stack, picks, rng):
    """Turned by right angles and mirrored alone: the pixel noise stays what it is."""
    raw, mem, ridge, _ = stack
    y, x = rng.integers(0, raw.shape[1] - SIDE + 1, 2)
    at, k = np.s_[..., y:y + SIDE, x:x + SIDE], rng.integers(4)
    z = picks[1]
    return [np.rot90(p[at], k, (-2, -1)) for p in (raw[picks], mem[z], ridge[z])]


def bent_patch(stack, picks, rng):
    """Turned by any angle, scaled to 4 nm, bent; neighbours now and then out of place."""
    raw, mem, ridge, zoom = stack
    h, m, z = raw.shape[1], SIDE * 0.42, picks[1]
    at = warp_grid(rng, SIDE) / zoom + rng.uniform(m, h - m, (2, 1, 1)).astype(np.float32)
    v = np.empty((3, SIDE, SIDE), np.float32)
    for i, s in enumerate(picks):
        shift = rng.normal(0, 3, (2, 1, 1)) if s != z and rng.random() < 0.3 else 0
        v[i] = ndi.map_coordinates(raw[s], at + shift, order=1, mode="mirror")
    t = ndi.map_coordinates(mem[z], at, order=0, mode="mirror")
    return v, t, ndi.map_coordinates(ridge[z], at, order=0, mode="mirror")


def batch(data, share, rng):
    x, y, w = [], [], []
    for _ in range(BATCH):
        k = 1 if len(data) > 1 and rng.random() < share else 0
        z = rng.integers(len(data[k][0]))
        a, b = neighbours(data[k][0], z, rng)
        cut = plain_patch if k == 0 and rng.random() < PLAIN else bent_patch
        v, t, r = cut(data[k], [a, z, b], rng)
        if rng.random() < 0.03:  # a lost neighbour
            v = v.copy()
            v[0 if rng.random() < 0.5 else 2] = rng.uniform(-3, 0)
        if rng.random() < 0.5:
            v, t, r = v[:, ::-1], t[::-1], r[::-1]
        x.append(spoil(v, rng))
        y.append(np.stack([t, np.tanh(ndi.distance_transform_edt(t == 0) / 10)]))
        w.append(1 + t[None] + 4 * r[None] / np.float32(255))
    return tuple(np.stack(a).astype(np.float32) for a in (x, y, w))


def loss(p, y, w):
    t = y[:, :1]
    bce = F.binary_cross_entropy_with_logits(p[:, :1], t, weight=w)
    return bce + 0.5 * ((torch.sigmoid(p[:, 1:]) - y[:, 1:]) ** 2).mean()


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--hold", type=int, default=0, help="last ISBI training sections left out")
    ap.add_argument("--iters", type=int, default=4000)
    ap.add_argument("--vnc", type=float, default=0.2, help="share of VNC patches")
    ap.add_argument("--start", help="weights to start from")
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--seed", type=int, default=2)
    ap.add_argument("--out", default="sstem.pt")
    o = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(o.seed)
    data = stacks(o.hold, o.vnc > 0)
    net = make_net()
    if o.start:
        net.load_state_dict(torch.load(o.start))
    train(last(net), lambda r: batch(data, o.vnc, r), loss, o.iters, o.lr, o.seed,
          o.out[:-3])


if __name__ == "__main__":
    main()
