"""Converts made-up checkpoints and compares what PyTorch and the program answer.

check_retina_torch.py CLI CONVERTER FOLDER

SPDX-License-Identifier: Apache-2.0
"""
import subprocess
import sys

import h5py
import numpy as np
import torch
from torch import nn

cli, converter, folder = sys.argv[1:]
HISTORY, HEIGHT, WIDTH, CHANNELS = 6, 14, 12, 3


class AbsNorm(nn.Module):
    """Batch normalisation with gains by magnitude, as in the published networks."""

    def __init__(self, n, eps):
        super().__init__()
        self.eps = eps
        self.running_mean = nn.Parameter(torch.randn(n) * 0.1)
        self.running_var = nn.Parameter(torch.rand(n) + 0.2)
        self.scale = nn.Parameter(torch.randn(n))
        self.shift = nn.Parameter(torch.randn(n) * 0.3)

    def forward(self, x):
        return nn.functional.batch_norm(x, self.running_mean, self.running_var,
                                        self.scale.abs(), self.shift, False, 0.0, self.eps)


class Stacked(nn.Module):
    def __init__(self, n_in, n_out, depth):
        super().__init__()
        self.convs = nn.Sequential(*[nn.Conv2d(n_in if i == 0 else n_out, n_out, 3)
                                     for i in range(depth)])

    def forward(self, x):
        return self.convs(x)


class Shape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(len(x), *self.shape)


def dense_net():
    """Stacked convolutions, normalisation by unit, a dense layer."""
    n1, n2 = CHANNELS * 10 * 8, 2 * 8 * 6
    return nn.Sequential(
        Stacked(HISTORY, CHANNELS, 2), nn.Flatten(), AbsNorm(n1, 1e-3), nn.ReLU(),
        Shape(CHANNELS, 10, 8), nn.Conv2d(CHANNELS, 2, 3), nn.Flatten(), AbsNorm(n2, 1e-3),
        nn.ReLU(), nn.Linear(n2, 4), nn.BatchNorm1d(4), nn.Softplus())


def map_net():
    """Normalisation by channel with gains of either sign, a convolution at the end."""
    net = nn.Sequential(
        nn.Conv2d(HISTORY, CHANNELS, 5), nn.BatchNorm2d(CHANNELS, eps=1e-3), nn.ReLU(),
        nn.Conv2d(CHANNELS, 2, 3), nn.BatchNorm2d(2, eps=1e-3), nn.ReLU(),
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Softplus())
    return net


def check(name, net, centers):
    for norm in net.modules():
        if isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(1e-3, 1)
    net.eval()
    wrapper = nn.Module()
    wrapper.sequential = net
    path, out = f"{folder}/{name}.pt", f"{folder}/{name}.h5"
    torch.save({"model_state_dict": wrapper.state_dict(), "norm_stats": [0.0, 1.0],
                "centers": centers}, path)
    subprocess.run([sys.executable, converter, path, out,
                    "--size", f"{HISTORY},{HEIGHT},{WIDTH}", "--trust"], check=True)
    film = np.random.default_rng(1).normal(size=(40, HEIGHT, WIDTH)).astype(np.float32)
    with h5py.File(f"{folder}/{name}-film.h5", "w") as f:
        f.attrs["source"] = "simulated retina"
        f["test/stimulus"] = film
        f["test/response/firing_rate_10ms"] = np.zeros((1, 40), np.float32)
    subprocess.run([cli, "retina", "respond", out, f"{folder}/{name}-film.h5",
                    f"{folder}/{name}.csv", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    windows = torch.tensor(np.stack([film[t:t + HISTORY] for t in range(40 - HISTORY)]))
    with torch.no_grad():
        expected = net(windows).numpy()
    if expected.ndim == 4:
        half = [(HEIGHT - expected.shape[2]) // 2, (WIDTH - expected.shape[3]) // 2]
        expected = np.stack([expected[:, m, c[0] - half[0], c[1] - half[1]]
                             for m, c in enumerate(centers)], 1)
    found = np.loadtxt(f"{folder}/{name}.csv", delimiter=",", skiprows=1)[:, 2:]
    worst = np.abs(found - expected).max()
    print(f"{name}: largest difference {worst:.2g} of {expected.max():.3g}")
    assert found.shape == expected.shape and worst < 1e-4 * max(1, expected.max())


torch.manual_seed(3)
check("dense", dense_net(), None)
check("maps", map_net(), [[5, 5], [6, 7], [8, 4]])
bad = subprocess.run([sys.executable, converter, "/dev/null", f"{folder}/none.h5"],
                     capture_output=True)
assert bad.returncode != 0
