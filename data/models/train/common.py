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

THREADS = 2          # for prediction
RANKS = 2            # processes that train together
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


def learn(rank, net, make, loss, iters, lr, seed, tag, every, decay, shared, gate):
    """One of RANKS workers: its own batches, the common gradient, the same steps."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    net = last(net).train()
    avg = Average(net, decay) if rank == 0 else None
    par = list(net.parameters())
    opt = torch.optim.AdamW(par, lr=lr, weight_decay=1e-4)
    t0, run = time.time(), []
    for it in range(iters):
        e = it / iters
        for g in opt.param_groups:
            g["lr"] = lr * min(1.0, e / 0.03 + 0.02) * (0.5 + 0.5 * np.cos(np.pi * e))
        x, y, w = (torch.from_numpy(a) for a in make(np.random.default_rng([seed, it, rank])))
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            p = net(x)
        v = loss(p.float(), y, w)
        opt.zero_grad(set_to_none=True)
        v.backward()
        shared[rank].copy_(torch.cat([q.grad.flatten() for q in par]))
        gate.wait()
        mean = shared.mean(0)
        gate.wait()
        for q, g in zip(par, mean.split([q.numel() for q in par])):
            q.grad.copy_(g.view_as(q))
        opt.step()
        run.append(v.item())
        if rank:
            continue
        avg.update(net, it)
        if (it + 1) % every == 0 or it + 1 == iters:
            s = time.time() - t0
            print(f"{tag} {it + 1}/{iters} {s:.0f} s {s / (it + 1):.3f} s/it "
                  f"loss {np.mean(run[-every:]):.4f}", flush=True)
            torch.save(avg.net.state_dict(), f"{tag}.pt.part")
            os.replace(f"{tag}.pt.part", f"{tag}.pt")


def train(net, make, loss, iters, lr, seed, tag, every=200, decay=0.998):
    """AdamW with warm-up and a half-cosine; writes the averaged network to tag.pt.

    RANKS processes of one thread each, which meet once a step: on a busy machine that is
    twice as fast as one process whose threads meet in every layer. `make` gives one
    rank's batch, which depends on (seed, step, rank) alone.
    """
    torch.set_num_threads(1)
    n = sum(p.numel() for p in net.parameters())
    shared = torch.zeros(RANKS, n).share_memory_()
    ctx = mp.get_context("fork")
    gate = ctx.Barrier(RANKS)
    args = (net, make, loss, iters, lr, seed, tag, every, decay, shared, gate)
    ranks = [ctx.Process(target=learn, args=(r, *args)) for r in range(RANKS)]
    for p in ranks:
        p.start()
    for p in ranks:
        p.join()
    if any(p.exitcode for p in ranks):
        raise SystemExit(f"{tag}: a worker failed")
