"""Goes on from retina_xt.py with whole films: the retina networks.

    python retina_film.py START.h5 OUT.h5 [--steps 1600] [--rate 2e-3] [--seed 1]

Kernels of the x-t start spread over y as Gaussians (s.d. 2 px). A step then sees
x-t windows, whose kernels are the sums over y and cost next to nothing, and
windows of films 50 x 50 (scenes, bars at any angle), bf16 convolutions; both
losses count half (--share), statistics of the batch norm are of both. START may be a
file of this script as well.
"""
import argparse
import time

import h5py
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import retina_xt as xt

SIDE = xt.WIDTH
KEYS = ("gain", "shift", "mean", "variance")


# ---- films 50 x 50 -----------------------------------------------------------

def scene(rng, n=512, shortest=8.192):
    k = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.rfftfreq(n)[None])
    k[0, 0] = 1
    spectrum = (rng.normal(size=k.shape) + 1j * rng.normal(size=k.shape)) / k
    spectrum *= k < 1 / shortest
    spectrum[0, 0] = 0
    picture = np.fft.irfft2(spectrum, (n, n))
    return (picture / picture.std()).astype(np.float32)


def natural(rng, picture):
    n, out, t = len(picture), np.zeros((xt.FRAMES, SIDE, SIDE), np.float32), 0
    while t < xt.FRAMES:
        length = (min(100, xt.FRAMES - t) if t
                  else max(1, min(100 - rng.integers(0, 100), xt.FRAMES)))
        contrast, place = rng.uniform(.3, 1.2), rng.uniform(0, n, 2)
        sd, drift = rng.uniform(.05, .25), np.zeros(2)
        if rng.random() < .5:
            angle = rng.uniform(0, 2 * np.pi)
            drift = rng.uniform(0, .5) * np.array([np.cos(angle), np.sin(angle)])
        at = place + np.cumsum(rng.normal(size=(length, 2)) * sd + drift, 0)
        for i in range(length):
            corner = np.floor(at[i]).astype(int)
            u, v = at[i] - corner
            rows = (corner[0] + np.arange(SIDE + 1)) % n
            columns = (corner[1] + np.arange(SIDE + 1)) % n
            p = picture[np.ix_(rows, columns)]
            p = p[:-1] * (1 - u) + p[1:] * u
            out[t + i] = contrast * (p[:, :-1] * (1 - v) + p[:, 1:] * v)
        t += length
    return out


def sweeps(rng):
    """As retina_xt.sweeps(), at any angle."""
    s, t = np.zeros((xt.FRAMES, SIDE, SIDE), np.float32), 0
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    while t < xt.FRAMES:
        v, width = np.exp(rng.uniform(np.log(.04), np.log(.44))), rng.uniform(2, 6)
        amplitude = (-1 if rng.random() < .8 else 1) * rng.uniform(.5, 1.6)
        angle = rng.uniform(0, 2 * np.pi)
        along = x * np.cos(angle) + y * np.sin(angle)
        start, way = -rng.uniform(3, 20), rng.uniform(12, 40)
        at = start + v * np.arange(int(way / v) + 1)
        if rng.random() < .7:
            at = np.concatenate([at, at[-1] - v * np.arange(1, rng.integers(20, 120))])
        n = min(len(at), xt.FRAMES - t)
        far = np.abs(along[None] - at[:n, None, None])
        s[t:t + n] = amplitude * np.clip(width / 2 + .5 - far, 0, 1)
        t += n + rng.integers(10, 60)
    return s


def films(seed, n_scenes, n_sweeps):
    rng, out, picture = np.random.default_rng(seed), [], None
    for i in range(n_scenes + n_sweeps):
        if i < n_scenes and i % 2 == 0:
            picture = scene(rng)
        out.append((natural(rng, picture) if i < n_scenes else sweeps(rng)).astype(np.float16))
    return np.stack(out)


def simulate(films):
    """films [clip][frame][y][x] -> rates [clip][frame][y][x] of the cells."""
    def both(sigma, rows=slice(None)):
        m = xt.blur_matrix(sigma, rows)
        return lambda a: m.T @ (a.reshape(-1, SIDE, SIDE) @ m)
    return xt.simulate(films, (SIDE, SIDE), both)


# ---- network -----------------------------------------------------------------

class Norm(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.gain, self.shift = nn.Parameter(torch.ones(n)), nn.Parameter(torch.zeros(n))
        self.register_buffer("mean", torch.zeros(n))
        self.register_buffer("variance", torch.ones(n))

    def forward(self, parts, shares):
        mean, variance = self.mean, self.variance
        if self.training:
            moments = [0., 0.]
            for z, share in zip(parts, shares):
                over = [d for d in range(z.dim()) if d != 1]
                moments[0] = moments[0] + share * z.float().mean(over)
                moments[1] = moments[1] + share * (z.float() ** 2).mean(over)
            mean, variance = moments[0], (moments[1] - moments[0] ** 2).clamp(min=0)
            with torch.no_grad():
                self.mean += .02 * (mean - self.mean)
                self.variance += .02 * (variance - self.variance)
        scale = torch.rsqrt(variance + 1e-3) * self.gain.abs()
        offset = self.shift - mean * scale
        shape = lambda z: [1, -1] + [1] * (z.dim() - 2)
        return [z * scale.view(shape(z)).to(z.dtype) + offset.view(shape(z)).to(z.dtype)
                for z in parts]


class Net(nn.Module):
    """Parts [batch][lag][x] (constant in y) or [batch][lag][y][x]."""

    def __init__(self, n_lags):
        super().__init__()
        self.weights = nn.ParameterList(nn.Parameter(torch.zeros(o, i, k, k))
                                        for o, i, k in ((8, n_lags, 15), (8, 8, 11), (1, 8, 11)))
        self.norms = nn.ModuleList(Norm(n) for n in (8, 8, 1))

    def forward(self, parts, shares):
        for layer, (w, norm) in enumerate(zip(self.weights, self.norms)):
            parts = [F.conv1d(z, w.sum(2)) if z.dim() == 3
                     else F.conv2d(z.bfloat16(), w.bfloat16()) for z in parts]
            parts = norm(parts if layer < 2 else [z.float() for z in parts], shares)
            parts = [F.relu(z) for z in parts] if layer < 2 else parts
        return [z[:, 0] for z in parts]


def load(path, lags, sigma=2.0):
    net = Net(lags.shape[1])
    with h5py.File(path) as f, torch.no_grad():
        for layer, name in enumerate(("layer1", "layer2", "cells")):
            w = torch.from_numpy(f[name]["weight"][()])
            if layer == 0:
                w = torch.einsum("olyx,lk->okyx", w, lags)
            if w.shape[2] == 1:
                g = torch.exp(-((torch.arange(w.shape[3]) - (w.shape[3] - 1) / 2) / sigma) ** 2 / 2)
                w = w * (g / g.sum())[:, None]
            net.weights[layer].copy_(w)
            for key in KEYS:
                v = torch.from_numpy(f[name][key][()]).reshape(len(w), -1)[:, 0]
                if key == "mean" and "bias" in f[name]:
                    v = v - torch.from_numpy(f[name]["bias"][()])
                getattr(net.norms[layer], key).copy_(v)
    return net


def save(net, lags, path, texts):
    with h5py.File(path, "w") as f:
        for key, text in dict(texts, format="connexon-retina").items():
            f.attrs.create(key, text, dtype=h5py.string_dtype("utf-8", len(text) + 1))
        for key, value in (("version", 1), ("height", SIDE), ("width", SIDE)):
            f.attrs.create(key, value, dtype="<i4")
        f.attrs.create("normalisation", [0., 1.], dtype="<f8")
        for layer, (name, n) in enumerate((("layer1", 36), ("layer2", 26), ("cells", 0))):
            w, group = net.weights[layer].detach(), f.create_group(name)
            w = torch.einsum("okyx,lk->olyx", w, lags) if layer == 0 else w
            group["weight"] = w.numpy().astype("<f4")
            for key in KEYS:
                v = getattr(net.norms[layer], key).detach().numpy()
                v = np.abs(v) if key == "gain" else v
                group[key] = (np.repeat(v, n * n).reshape(-1, n, n) if n else v).astype("<f4")


# ---- training ----------------------------------------------------------------

def poisson(u, target):
    r = F.softplus(u.float().clamp(-12, 30))
    return (r - target * torch.log(r + 1e-6)).mean()


def window_batch(rng, s, rates, lags, n):
    """Windows of whole films and targets, turned and mirrored at random."""
    clips, ends = rng.integers(0, len(s), n), rng.integers(xt.FIRST, xt.FRAMES, n)
    x = np.stack([s[c, t - xt.HISTORY:t] for c, t in zip(clips, ends)]).astype(np.float32)
    x = torch.matmul(lags.T, torch.from_numpy(x).view(n, xt.HISTORY, -1)).view(n, -1, SIDE, SIDE)
    y = torch.from_numpy(np.stack([rates[c, t] for c, t in zip(clips, ends)]).astype(np.float32))
    if rng.random() < .5:
        x, y = x.flip(2), y.flip(1)
    if rng.random() < .5:
        x, y = x.flip(3), y.flip(2)
    if rng.random() < .5:
        x, y = x.transpose(2, 3).contiguous(), y.transpose(1, 2)
    return x, y


def train(net, line, whole, lags, a):
    rng, start = np.random.default_rng(a.seed), time.time()
    x_line, y_line = xt.project(line[0], lags), torch.from_numpy(line[1][:, xt.HISTORY:])
    adam = torch.optim.AdamW(net.parameters(), lr=a.rate, weight_decay=0.)
    total = np.zeros(2)
    for step in range(a.steps):
        net.train()
        share = a.end + (1 - a.end) * .5 * (1 + np.cos(np.pi * step / a.steps))
        for group in adam.param_groups:
            group["lr"] = a.rate * min(1, (step + 1) / 100) * share
        clip = torch.from_numpy(rng.integers(0, len(y_line), a.line_batch))
        at = torch.from_numpy(rng.integers(xt.FIRST, xt.FRAMES, a.line_batch)) - xt.HISTORY
        x, y = window_batch(rng, *whole, lags, a.batch)
        u = net([x_line[clip, at], x], (1 - a.share, a.share))
        losses = poisson(u[0], y_line[clip, at]), poisson(u[1], y)
        adam.zero_grad()
        ((1 - a.share) * losses[0] + a.share * losses[1]).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.)
        adam.step()
        total += [float(loss.detach()) for loss in losses]
        if step % 100 == 99 or step == a.steps - 1:
            print(f"step {step + 1} loss x-t {total[0] / (step % 100 + 1):.4f} whole "
                  f"{total[1] / (step % 100 + 1):.4f} {time.time() - start:.0f} s", flush=True)
            total[:] = 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("start")
    parser.add_argument("out")
    for name, value in (("clips", 700), ("scenes", 100), ("sweeps", 50), ("steps", 1600),
                        ("line-batch", 768), ("batch", 80), ("seed", 1), ("film-seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--end", type=float, default=.02, help="of the rate, share")
    parser.add_argument("--share", type=float, default=.5, help="of the loss on whole films")
    parser.add_argument("--natural", action="store_true", help="natural films alone")
    parser.add_argument("--flicker", action="store_true", help="more flicker and steps")
    a = parser.parse_args()
    a.sweeps = 0 if a.natural else a.sweeps
    mix = ({"natural": 1.} if a.natural else
           dict(natural=.2, steps=.15, flicker=.3, bars=.1, sweeps=.25) if a.flicker else xt.MIX)
    lags = xt.lag_functions()
    torch.manual_seed(a.seed)
    net = load(a.start, lags)
    line = xt.films(a.film_seed, a.clips, mix)
    s = films(1, a.scenes, a.sweeps)
    print("films drawn", flush=True)
    train(net, line, (s, simulate(s)), lags, a)
    save(net, lags, a.out, {
        "name": "retina-natural" if a.natural else "retina-mixed", "licence": "Apache-2.0", "data": "simulated retina",
        "description": "Predicts the rates of a simulated retina; learnt from "
                       + ("natural scenes alone" if a.natural else
                          "a mixture of scenes, bars, irregular flicker and steps"),
        "training": "data/models/train/retina_xt.py, then retina_film.py"})


if __name__ == "__main__":
    main()
