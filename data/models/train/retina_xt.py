"""Trains the x-t start of the retina networks on the simulated retina.

    python retina_xt.py OUT.h5 [--clips 800] [--epochs 12] [--seed 1] [--natural]

Needs PyTorch, numpy and h5py. Stimuli that are constant in y ask of a kernel
only its sum over y, so a network of x and time (film 40 x 50) learns what the
protocols probe in minutes; `connexon-cli retina train --start OUT.h5` spreads
it over y and goes on with whole films.

Samples are those of core/retina/simulator.h: 0 grey, -1 black, no scaling.
The simulator here is the same one ("GTR-C"), in numpy, all clips at once.
"""
import argparse
import time

import h5py
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

WIDTH, CELLS, HISTORY, FRAMES, FIRST = 50, slice(17, 33), 40, 600, 100
MIX = {"natural": 0.25, "steps": 0.1, "flicker": 0.2, "bars": 0.1, "sweeps": 0.35}


# ---- simulator ---------------------------------------------------------------

def blur_matrix(sigma, rows=slice(None)):
    """Blurs a row of WIDTH pixels whose edge values are repeated."""
    reach = int(np.ceil(4 * sigma))
    g = np.exp(-np.arange(-reach, reach + 1) ** 2 / (2 * sigma ** 2))
    m = np.zeros((WIDTH, WIDTH), np.float32)
    for x in range(WIDTH):
        for i, w in enumerate(g / g.sum()):
            m[x, np.clip(x + i - reach, 0, WIDTH - 1)] += w
    return m[rows].T.copy()


def along_x(sigma, rows=slice(None)):
    m = blur_matrix(sigma, rows)
    return lambda a: a @ m


def simulate(films, size=(WIDTH,), blur_of=along_x):
    """films [clip][frame][x] -> rates [clip][frame][cell]; Euler, 1 ms."""
    logistic = lambda x: 1 / (1 + np.exp(-x))
    blur, pool, wide = blur_of(0.8), blur_of(2.9, CELLS), blur_of(5.0, CELLS)
    n, frames = films.shape[:2]
    zeros = lambda: np.zeros((n, *size), np.float32)
    v1, v, f1, f, g1, g, q1, q, a_off, a_on, slow = (zeros() for _ in range(11))
    rest = np.float32(20 * (logistic(7.0) - 1))
    vb, va2 = zeros() + rest, zeros() + rest
    va1 = zeros() + np.float32(20 * logistic(-6.0))
    left = zeros() + 1
    cell = 0 * pool(v)
    rates = np.zeros((n, frames, *cell.shape[1:]), np.float32)
    for t in range(frames):
        s = blur(films[:, t].astype(np.float32))
        for _ in range(10):
            v1 += (s - v1) / 7
            v += (v1 - v) / 7
            f1 += (v - f1) / 15
            f += (f1 - f) / 15
            g1 += (v - g1) / 60
            g += (g1 - g) / 60
            y = f - g
            q1 += (y - q1) / 21
            q += (q1 - q) / 21
            off, on = np.maximum(-y, 0), np.maximum(q, 0)
            a_off += (7.5 * off - a_off) / 160
            a_on += (7.5 * on - a_on) / 160
            drive = 100 * off / (1 + a_off ** 4) + 44 * on / (1 + a_on ** 4)
            down, up = logistic(14 * (v + 0.5)) - 1, logistic(-12 * (v + 0.5))
            inhibition = np.maximum(va1, 0)
            slow += -slow / 55 + 0.002 * (50 * np.maximum(vb + 26, 0)
                                          - 53 * left * inhibition
                                          - 65 * np.maximum(va2 + 20, 0))
            left += 0.02 * (1 - left) - 0.02 * 0.086 * inhibition * left
            vb += (20 * down - vb) / 40
            va1 += (20 * up - va1) / 42.5
            va2 += (20 * down - va2) / 60
            cell += (pool(drive) - cell) / 7
            rates[:, t] += np.maximum(cell + 0.73 * wide(slow), 0) / 10
    return rates


# ---- films -------------------------------------------------------------------

def scene(rng, n=4096, waves=500):
    k = np.arange(1, waves + 1)
    spectrum = np.zeros(n // 2 + 1, complex)
    spectrum[1:waves + 1] = (rng.normal(size=waves) + 1j * rng.normal(size=waves)) / k
    line = np.fft.irfft(spectrum, n)
    return line / line.std()


def natural(rng, line):
    """Saccades every second, a random walk and sometimes a drift between them."""
    n, out, t, x = len(line), np.zeros((FRAMES, WIDTH), np.float32), 0, np.arange(WIDTH)
    while t < FRAMES:
        length = min(100, FRAMES - t) if t else min(100 - rng.integers(0, 100), FRAMES)
        length = max(length, 1)
        contrast, place = rng.uniform(.3, 1.2), rng.uniform(0, n)
        sd = rng.uniform(.05, .25)
        drift = rng.uniform(-.5, .5) if rng.random() < .5 else 0.
        at = place + np.cumsum(rng.normal(size=length) * sd + drift)
        q = (at[:, None] + x) % n
        i = q.astype(int)
        part = q - i
        out[t:t + length] = contrast * (line[i % n] * (1 - part) + line[(i + 1) % n] * part)
        t += length
    return out


def draw(centres, width, amplitude):
    left = np.arange(WIDTH) - 0.5
    lo, hi = centres[:, None] - width / 2, centres[:, None] + width / 2
    cover = np.clip(np.minimum(left + 1, hi) - np.maximum(left, lo), 0, 1)
    return (amplitude * cover).astype(np.float32)


def bars(rng, n_bars):
    """Bars that go on for ever, with random turns."""
    s = np.zeros((FRAMES, WIDTH), np.float32)
    for _ in range(n_bars):
        width = rng.uniform(2, 6)
        amplitude = (-1 if rng.random() < .75 else 1) * rng.uniform(.4, 1.6)
        v = np.exp(rng.uniform(np.log(.04), np.log(.44)))
        v *= rng.choice([-1, 1])
        p, at = rng.uniform(0, WIDTH), np.zeros(FRAMES)
        turns = rng.random(FRAMES) < .012
        for t in range(FRAMES):
            v = -v if turns[t] else v
            p += v
            if p < -4 or p > WIDTH + 3:
                v = -np.sign(p - WIDTH / 2) * abs(v)
            at[t] = p
        s += draw(at, width, amplitude)
    return s


def sweeps(rng):
    """One bar at a time on grey: sweeps to somewhere, and often turns there."""
    s, t = np.zeros((FRAMES, WIDTH), np.float32), 0
    while t < FRAMES:
        v, width = np.exp(rng.uniform(np.log(.04), np.log(.44))), rng.uniform(2, 6)
        amplitude = (-1 if rng.random() < .8 else 1) * rng.uniform(.5, 1.6)
        direction = rng.choice([-1, 1])
        start, way = rng.uniform(5, 22), rng.uniform(14, 40)
        at = start + v * np.arange(min(int(way / v) + 1, FRAMES - t))
        if rng.random() < .7:
            at = np.concatenate([at, at[-1] - v * np.arange(1, rng.integers(20, 120))])
        if direction < 0:
            at = WIDTH - 1 - at
        n = min(len(at), FRAMES - t)
        s[t:t + n] = draw(at[:n], width, amplitude)
        t += n + rng.integers(10, 60)
    return s


def flicker(rng, line):
    """Full-field flashes at irregular times, in spells, and silences."""
    s, t = np.zeros((FRAMES, WIDTH), np.float32), 0
    while t < FRAMES:
        end = t + rng.integers(30, 120)
        gap = np.exp(rng.uniform(np.log(1.), np.log(10.)))
        amplitude = rng.uniform(.5, 1.6) * (-1 if rng.random() < .85 else .6)
        usual = rng.integers(1, 5)
        while t < min(end, FRAMES):
            n = usual if rng.random() < .7 else rng.integers(1, 7)
            s[t:t + n] = amplitude * (1 if rng.random() < .7 else rng.uniform(.3, 1))
            t += n + 1 + int(rng.exponential(gap))
        if rng.random() < .7:
            t += rng.integers(10, 50)
    if rng.random() < .3:
        s += rng.uniform(.1, .4) * natural(rng, line)
    return s


def steps(rng, line):
    s, t = np.zeros((FRAMES, WIDTH), np.float32), 0
    while t < FRAMES:
        n = rng.integers(1, 32)
        s[t:t + n] = 0. if rng.random() < .45 else rng.uniform(-1.5, .75)
        t += n
    if rng.random() < .5:
        s += rng.uniform(.1, .4) * natural(rng, line)
    return s


def films(seed, n_clips, mix):
    rng = np.random.default_rng(seed)
    counts = np.floor(np.array(list(mix.values())) / sum(mix.values()) * n_clips + .5).astype(int)
    counts[0] = n_clips - counts[1:].sum()
    out, kinds = [], []
    for kind, count in zip(mix, counts):
        for _ in range(count):
            line = scene(rng)
            out.append(natural(rng, line) if kind == "natural"
                       else bars(rng, rng.integers(1, 3)) if kind == "bars"
                       else sweeps(rng) if kind == "sweeps"
                       else flicker(rng, line) if kind == "flicker"
                       else steps(rng, line))
            kinds.append(kind)
    out = np.stack(out)
    return out, simulate(out), np.array(kinds)


# ---- network -----------------------------------------------------------------

def lag_functions(n=14, warp=6.0):
    """Raised cosines on warped lags, orthonormal: [frame of the window][function]."""
    lag = np.log(np.arange(HISTORY) + .5 + warp)
    centres = np.linspace(lag[0], lag[-1], n)
    bump = lambda c: np.clip((lag - c) / (centres[1] - centres[0]) * np.pi / 2, -np.pi, np.pi)
    q, _ = np.linalg.qr(np.stack([.5 * (1 + np.cos(bump(c))) for c in centres], 1))
    return torch.from_numpy(q[::-1].copy().astype(np.float32))


class Norm(nn.Module):
    """Batch norm of a channel (n = 8) or of everything (n = 1); |gain|."""

    def __init__(self, n):
        super().__init__()
        self.gain, self.shift = nn.Parameter(torch.ones(n)), nn.Parameter(torch.zeros(n))
        self.register_buffer("mean", torch.zeros(n))
        self.register_buffer("variance", torch.ones(n))

    def forward(self, z):
        mean, variance = self.mean, self.variance
        if self.training:
            mean, variance = z.mean((0, 2)), z.var((0, 2), unbiased=False)
            with torch.no_grad():
                self.mean += .01 * (mean - self.mean)
                self.variance += .01 * (variance - self.variance)
        scale = torch.rsqrt(variance + 1e-3) * self.gain.abs()
        return z * scale[:, None] + (self.shift - mean * scale)[:, None]


class Net(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.layer1, self.norm1 = nn.Conv1d(n_in, 8, 15), Norm(8)
        self.layer2, self.norm2 = nn.Conv1d(8, 8, 11), Norm(8)
        self.cells, self.norm3 = nn.Conv1d(8, 1, 11, bias=False), Norm(1)

    def forward(self, x):
        a = F.relu(self.norm1(self.layer1(x)))
        a = F.relu(self.norm2(self.layer2(a)))
        return self.norm3(self.cells(a))[:, 0]


def project(s, lags):
    """Windows that predict frames HISTORY ... of each clip."""
    windows = torch.from_numpy(s).unfold(1, HISTORY, 1)[:, :-1]
    return torch.einsum("ntxl,lk->ntkx", windows, lags).contiguous()


def train(net, x, rates, epochs, rate, batch=1024, warm_up=100):
    n, n_windows = x.shape[:2]
    first = FIRST - HISTORY
    index = torch.cartesian_prod(torch.arange(n), torch.arange(first, n_windows))
    target = torch.from_numpy(rates[:, HISTORY:])
    adam = torch.optim.Adam(net.parameters(), lr=rate)
    a_epoch, start = len(index) // batch, time.time()
    for epoch in range(epochs):
        net.train()
        order, total = torch.randperm(len(index)), 0.
        for b in range(a_epoch):
            step = epoch * a_epoch + b
            share = .01 + .99 * .5 * (1 + np.cos(np.pi * step / (a_epoch * epochs)))
            for group in adam.param_groups:
                group["lr"] = rate * min(1, (step + 1) / warm_up) * share
            i = index[order[b * batch:(b + 1) * batch]]
            r = F.softplus(net(x[i[:, 0], i[:, 1]]).clamp(-12, 30))
            loss = (r - target[i[:, 0], i[:, 1]] * torch.log(r + 1e-6)).mean()
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.)
            adam.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1} loss {total / a_epoch:.4f} {time.time() - start:.0f} s", flush=True)


def score(net, s, rates, kinds, lags):
    net.eval()
    for kind in dict.fromkeys(kinds):
        i = kinds == kind
        with torch.no_grad():
            x = project(s[i], lags)[:, FIRST - HISTORY:]
            r = F.softplus(net(x.reshape(-1, *x.shape[2:]))).numpy()
        print(f"held out, {kind}: r {np.corrcoef(r.ravel(), rates[i][:, FIRST:].ravel())[0, 1]:.4f}")


def save(net, lags, path):
    with h5py.File(path, "w") as f:
        f.attrs.create("format", "connexon-retina", dtype=h5py.string_dtype("utf-8", 16))
        for key, value in (("version", 1), ("height", 1), ("width", WIDTH)):
            f.attrs.create(key, value, dtype="<i4")
        f.attrs.create("normalisation", [0., 1.], dtype="<f8")
        first = torch.einsum("okx,lk->olx", net.layer1.weight, lags)
        for name, weight, norm, n in (("layer1", first, net.norm1, 36),
                                      ("layer2", net.layer2.weight, net.norm2, 26),
                                      ("cells", net.cells.weight, net.norm3, 0)):
            group = f.create_group(name)
            if name != "cells":
                group["bias"] = getattr(net, name).bias.detach().numpy().astype("<f4")
            group["weight"] = weight.detach().numpy()[:, :, None, :].astype("<f4")
            for key in ("gain", "shift", "mean", "variance"):
                v = getattr(norm, key).detach().numpy()
                v = np.abs(v) if key == "gain" else v
                group[key] = (np.repeat(v, n).reshape(-1, 1, n) if n else v).astype("<f4")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("--clips", type=int, default=800)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rate", type=float, default=2e-2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--natural", action="store_true", help="natural films alone")
    a = parser.parse_args()
    lags = lag_functions()
    s, rates, _ = films(a.seed, a.clips, {"natural": 1.} if a.natural else MIX)
    print(f"films: s.d. {s.std():.3f}, rate {rates.mean():.2f}", flush=True)
    torch.manual_seed(a.seed - 1)
    net = Net(lags.shape[1])
    torch.manual_seed(a.seed - 1)
    train(net, project(s, lags), rates, a.epochs, a.rate)
    score(net, *films(a.seed + 1, 45, MIX), lags)
    save(net, lags, a.out)


if __name__ == "__main__":
    main()
