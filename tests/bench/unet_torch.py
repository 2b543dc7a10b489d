#!/usr/bin/python3
"""The network of core/nn/bench_unet.h in PyTorch, for comparison.

unet_torch.py [THREADS] [SECONDS]

Prints Mvoxel/s for the plain module and for the frozen one on oneDNN, by wall
clock and by processor time of the calling thread (which other programs on the
machine disturb less). ONEDNN_MAX_CPU_ISA=AVX2 caps oneDNN.
"""
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

BASE, TILE, LEVELS = 16, 512, 4


def two(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(True),
                         nn.Conv2d(b, b, 3, padding=1), nn.ReLU(True))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        c = [BASE << i for i in range(LEVELS + 1)]
        self.enc = nn.ModuleList(two(1 if i == 0 else c[i - 1], c[i])
                                 for i in range(LEVELS + 1))
        self.up = nn.ModuleList(nn.ConvTranspose2d(c[i + 1], c[i], 2, stride=2)
                                for i in range(LEVELS))
        self.dec = nn.ModuleList(two(2 * c[i], c[i]) for i in range(LEVELS))
        self.head = nn.Conv2d(BASE, 1, 1)

    def forward(self, x):
        skips = []
        for i, enc in enumerate(self.enc):
            x = enc(F.max_pool2d(x, 2) if i else x)
            skips.append(x)
        for i in range(LEVELS - 1, -1, -1):
            x = self.dec[i](torch.cat([skips[i], self.up[i](x)], 1))
        return torch.sigmoid(self.head(x))


def measure(name, net, x, seconds):
    wall, cpu = [], []
    net(x), net(x)
    while len(wall) < 3 or sum(wall) < seconds:
        w, c = time.perf_counter(), time.thread_time()
        net(x)
        wall.append(time.perf_counter() - w)
        cpu.append(time.thread_time() - c)
    n = TILE * TILE / 1e6
    print(f"{name}: wall {n / statistics.median(wall):.3f}, thread "
          f"{n / statistics.median(cpu):.3f} Mvoxel/s, {len(wall)} runs", flush=True)


def main():
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.5
    net, x = UNet().eval(), torch.randn(1, 1, TILE, TILE)
    with torch.no_grad():
        measure("torch", net, x, seconds)
        frozen = torch.jit.optimize_for_inference(
            torch.jit.freeze(torch.jit.trace(net, x)))
        measure("torch frozen, oneDNN", frozen, x, seconds)


if __name__ == "__main__":
    main()
