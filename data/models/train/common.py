"""What both recipes share: the network, the weight average, the training loop.

The network is a 2-D U-Net over consecutive sections: the sections are its input
channels, the middle one is predicted. Convolutions are 3x3 with "same" zero
padding, batch norm and ReLU; down by 2x2 max pooling; up by a 1x1 convolution
(which squeezes the channels first, so it is cheap) and nearest repetition.
"""
import copy
import multiprocessing as mp
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

THREADS = 2
DATA = os.environ.get(
    "CONNEXON_DATA",
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../../shared/data"))


class ConvNormRelu(nn.Module):
    def __init__(self, cin, cout, k=3):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, k, padding=k // 2, bias=False)
        self.norm = nn.BatchNorm2d(cout)

    def forward(self, x):
        return F.relu_(self.norm(self.conv(x)))


class UNet(nn.Module):
    """`chs` channels a level; `cout` outputs, the first `keep` of them are shipped."""

    def __init__(self, cin, cout, chs, keep):
        super().__init__()
        self.cin, self.keep, self.chs = cin, keep, list(chs)
        two = lambda a, b: nn.Sequential(ConvNormRelu(a, b), ConvNormRelu(b, b))
        self.enc = nn.ModuleList(two(a, b) for a, b in zip([cin] + self.chs, self.chs))
        up = list(zip(self.chs, self.chs[1:]))
        self.squeeze = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in up)
        self.dec = nn.ModuleList(two(2 * a, a) for a, b in up)
        self.out = nn.Conv2d(self.chs[0], cout, 1)

    def forward(self, x):
        skips = []
        for level, enc in enumerate(self.enc):
            x = enc(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        for level in range(len(skips) - 2, -1, -1):
            y = F.interpolate(self.squeeze[level](x), scale_factor=2, mode="nearest")
            x = self.dec[level](torch.cat([skips[level], y], 1))
        return self.out(x)


def last(net):
    return net.to(memory_format=torch.channels_last)


class Average:
    """Exponential moving average of weights and batch-norm statistics."""

    def __init__(self, net, decay):
        self.net, self.decay = copy.deepcopy(net).eval(), decay

    def update(self, net, it):
        d = min(self.decay, (1 + it) / (10 + it))
        with torch.no_grad():
            for a, b in zip(self.net.state_dict().values(), net.state_dict().values()):
                if a.dtype.is_floating_point:
                    a.lerp_(b, 1 - d)
                else:
                    a.copy_(b)


def feed(make, seed, first, iters):
    """Batches made one process ahead; batch i depends on (seed, i) alone."""
    ctx = mp.get_context("fork")
    q = ctx.Queue(3)

    def work():
        torch.set_num_threads(1)
        for i in range(first, iters):
            q.put(make(np.random.default_rng([seed, i])))

    p = ctx.Process(target=work, daemon=True)
    p.start()
    for _ in range(first, iters):
        yield q.get()
    p.join()


def train(net, make, loss, iters, lr, seed, tag, every=300, watch=None, decay=0.998):
    """Adam with warm-up and a half-cosine; returns the averaged network."""
    torch.manual_seed(seed)
    net = last(net).train()
    avg = Average(net, decay)
    opt = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=1e-4)
    t0, run, wait = time.time(), [], 0.0
    batches = feed(make, seed, 0, iters)
    for it in range(iters):
        e = it / iters
        for g in opt.param_groups:
            g["lr"] = lr * min(1.0, e / 0.03 + 0.02) * (0.5 + 0.5 * np.cos(np.pi * e))
        t = time.time()
        x, y, w = (torch.from_numpy(a) for a in next(batches))
        wait += time.time() - t
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            p = net(x)
        v = loss(p.float(), y, w)
        opt.zero_grad(set_to_none=True)
        v.backward()
        opt.step()
        avg.update(net, it)
        run.append(v.item())
        if (it + 1) % every == 0 or it + 1 == iters:
            s = time.time() - t0
            note = watch(avg.net) if watch else ""
            print(f"{tag} {it + 1}/{iters} {s:.0f} s {s / (it + 1):.3f} s/it "
                  f"(waited {wait:.0f}) loss {np.mean(run[-every:]):.4f} {note}", flush=True)
            torch.save(avg.net.state_dict(), f"{tag}.pt")
    return avg.net
