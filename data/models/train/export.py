"""Writes a trained network as the HDF5 model file the program reads, and checks the file.

export.py fib fib.pt fib.h5 --card card.json

Batch norm is folded into the convolution before it. The check reads the file back,
runs it layer by layer with code that knows only the file, and compares with the
network in fp32.
"""
import argparse
import importlib
import json

import h5py
import numpy as np
import torch
import torch.nn.functional as F

from common import UNet


def fold(c):
    """ConvNormRelu -> weight, bias of one convolution."""
    n = c.norm
    k = (n.weight / torch.sqrt(n.running_var + n.eps)).double()
    w = c.conv.weight.double() * k[:, None, None, None]
    b = n.bias.double() - n.running_mean.double() * k
    return w.detach().float().numpy(), b.detach().float().numpy()


class Writer:
    def __init__(self, group):
        self.group, self.count = group, 0

    def layer(self, op, inputs, weight=None, bias=None, **attrs):
        g = self.group.create_group(f"{self.count:03d}")
        g.attrs["op"] = op
        g.attrs["inputs"] = np.array(inputs, np.int32)
        for k, v in attrs.items():
            g.attrs[k] = np.array(v, np.int32)
        if weight is not None:
            w = np.ascontiguousarray(weight[:, :, None], np.float32)   # kz = 1
            g.create_dataset("weight", data=w, compression="gzip", shuffle=True)
            g.create_dataset("bias", data=bias.astype(np.float32))
        self.count += 1
        return self.count - 1

    def conv(self, src, weight, bias, relu):
        k = weight.shape[2:]
        return self.layer("conv", [src], weight, bias, kernel=[1, *k],
                          relu=np.int32(relu))

    def block(self, src, seq):
        for c in seq:
            src = self.conv(src, *fold(c), relu=1)
        return src

    def plain(self, src, conv, rows=None):
        w, b = conv.weight.detach().numpy(), conv.bias.detach().numpy()
        return self.conv(src, w[:rows], b[:rows], relu=0)


def write_unet(net, group):
    w, x, skips = Writer(group), -1, []
    for level, enc in enumerate(net.enc):
        if level:
            x = w.layer("maxpool", [x], factor=[1, 2, 2])
        x = w.block(x, enc)
        skips.append(x)
    for level in range(len(skips) - 2, -1, -1):
        x = w.plain(x, net.squeeze[level])
        x = w.layer("upsample", [x], factor=[1, 2, 2])
        x = w.layer("concat", [skips[level], x])
        x = w.block(x, net.dec[level])
    x = w.plain(x, net.out, net.keep)
    w.layer("sigmoid", [x])


def text(h, key, value):
    h.attrs.create(key, value, dtype=h5py.string_dtype("utf-8"))


def write(path, net, card):
    with h5py.File(path, "w", libver=("earliest", "v110")) as h:
        text(h, "format", "connexon-model")
        h.attrs["version"] = np.int32(1)
        for k in ("name", "description", "data", "licence", "scores"):
            text(h, k, card[k])
        h.attrs["voxel_nm"] = np.array(card["voxel_nm"], np.float64)
        h.attrs["dims"] = np.int32(2)
        h.attrs["input_sections"] = np.int32(net.cin)
        text(h, "normalise", card["normalise"])
        h.attrs["norm_mean"] = np.float64(card.get("norm_mean", 0.0))
        h.attrs["norm_std"] = np.float64(card.get("norm_std", 1.0))
        h.attrs["views"] = np.int32(card.get("views", 1))
        h.attrs["outputs"] = np.array(card["outputs"], np.int32)
        s = h.create_group("segmentation")
        for k, v in card["segmentation"].items():
            if isinstance(v, str):
                text(s, k, v)
            else:
                s.attrs[k] = np.float64(v)
        write_unet(net, h.create_group("layers"))


def run_file(path, x):
    """Runs the model file on x [n][c][y][x] (fp32 tensor), knowing only the file."""
    out = []
    with h5py.File(path) as h:
        for k in sorted(h["layers"]):
            g = h["layers"][k]
            src = [x if i < 0 else out[i] for i in g.attrs["inputs"]]
            op = g.attrs["op"]
            if op == "conv":
                w = torch.from_numpy(g["weight"][()][:, :, 0])
                assert tuple(w.shape[2:]) == tuple(g.attrs["kernel"][1:])
                y = F.conv2d(src[0], w, torch.from_numpy(g["bias"][()]),
                             padding=tuple(n // 2 for n in w.shape[2:]))
                y = F.relu(y) if g.attrs["relu"] else y
            elif op == "maxpool":
                y = F.max_pool2d(src[0], tuple(int(v) for v in g.attrs["factor"][1:]))
            elif op == "upsample":
                fy, fx = (int(v) for v in g.attrs["factor"][1:])
                y = src[0].repeat_interleave(fy, 2).repeat_interleave(fx, 3)
            elif op == "concat":
                y = torch.cat(src, 1)
            elif op == "sigmoid":
                y = torch.sigmoid(src[0])
            else:
                raise SystemExit(f"{path}: layer {k}: unknown op {op}")
            out.append(y)
    return out[-1]


def check(path, net):
    torch.manual_seed(0)
    x = torch.randn(2, net.cin, 96, 128)
    with torch.no_grad():
        a, b = torch.sigmoid(net(x))[:, :net.keep], run_file(path, x)
    err = float((a - b).abs().max())
    if err > 1e-4:
        raise SystemExit(f"{path}: the file differs from the network by {err:.2g}")
    return err


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("recipe", choices=("fib", "sstem"))
    ap.add_argument("weights")
    ap.add_argument("model")
    ap.add_argument("--card", required=True)
    o = ap.parse_args()
    mod = importlib.import_module(o.recipe)
    net = mod.make_net().eval()
    net.load_state_dict(torch.load(o.weights))
    with open(o.card, encoding="utf-8") as f:
        card = json.load(f)
    card["outputs"] = mod.OUTPUTS
    write(o.model, net, card)
    print(f"{o.model}: largest difference {check(o.model, net):.1e}")


if __name__ == "__main__":
    main()
