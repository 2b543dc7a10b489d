"""Turns the weights of a flood-filling network into a model file of the program.

ffn_from_npz.py weights.npz ffn.h5 [--reference one_fov.npz]

The network is the residual stack of Januszewski et al., "High-precision automated
reconstruction of neurons with flood-filling networks", Nature Methods 15, 2018:
modules of two 3 x 3 x 3 convolutions a and b, from the second on
h + b(relu(a(relu(h)))), then a 1 x 1 x 1 convolution of relu(h) whose output is
added to the logit of the mask. The archive holds, for module i, "conv<i>_a" and
"conv<i>_b", and "conv_lom" at the end, each with ".weights" [z][y][x][in][out]
and ".biases". Defaults are those published for FIB-25.

With --reference (arrays image, seed and out_logit, z, y, x) the file is read back,
run layer by layer with code that knows only the file, and compared.
"""
import argparse
import re

import h5py
import numpy as np

DATA = ("FIB-25, FIB-SEM of the Drosophila medulla (Takemura et al., PNAS 2015), "
        "as published with the network")
DESCRIPTION = ("Flood-filling network for FIB-SEM: grows one object from a seed. "
               "Januszewski et al., Nature Methods 2018.")


class Writer:
    def __init__(self, group, archive):
        self.group, self.archive, self.count = group, archive, 0

    def layer(self, op, inputs, **attrs):
        g = self.group.create_group(f"{self.count:03d}")
        g.attrs["op"] = op
        g.attrs["inputs"] = np.array(inputs, np.int32)
        for k, v in attrs.items():
            g.attrs[k] = np.array(v, np.int32)
        self.count += 1
        return g, self.count - 1

    def conv(self, src, name, relu):
        w = self.archive[f"{name}.weights"]
        g, index = self.layer("conv", [src], kernel=w.shape[:3], relu=relu)
        w = np.ascontiguousarray(w.transpose(4, 3, 0, 1, 2), np.float32)
        g.create_dataset("weight", data=w, compression="gzip", shuffle=True)
        g.create_dataset("bias", data=self.archive[f"{name}.biases"].astype(np.float32))
        return index

    def rectified(self, src):
        return self.layer("add", [src], relu=1)[1]


def depth(archive):
    modules = sorted(int(m[1]) for m in map(re.compile(r"conv(\d+)_a\.weights$").match,
                                            archive.files) if m)
    if not modules or modules != list(range(len(modules))):
        raise SystemExit(f"found modules {modules}, expected conv0_a, conv1_a, ...")
    if archive["conv0_a.weights"].shape[3] != 2:
        raise SystemExit("conv0_a does not take two channels, image and mask")
    return len(modules)


def write_layers(group, archive):
    w = Writer(group, archive)
    x = w.conv(w.conv(-1, "conv0_a", 1), "conv0_b", 0)
    for i in range(1, depth(archive)):
        y = w.conv(w.conv(w.rectified(x), f"conv{i}_a", 1), f"conv{i}_b", 0)
        x = w.layer("add", [x, y])[1]
    w.conv(w.rectified(x), "conv_lom", 0)


def text(h, key, value):
    h.attrs.create(key, value, dtype=h5py.string_dtype("utf-8"))


def write(o):
    archive = np.load(o.weights)
    with h5py.File(o.model, "w", libver=("earliest", "v110")) as h:
        text(h, "format", "connexon-model")
        h.attrs["version"] = np.int32(1)
        text(h, "name", o.name)
        text(h, "description", DESCRIPTION)
        text(h, "data", DATA)
        text(h, "licence", "Apache-2.0")
        text(h, "scores", "")
        h.attrs["voxel_nm"] = np.array(o.voxel_nm, np.float64)
        h.attrs["dims"] = np.int32(3)
        h.attrs["input_sections"] = np.int32(1)
        text(h, "normalise", "fixed")
        h.attrs["norm_mean"] = np.float64(o.mean)
        h.attrs["norm_std"] = np.float64(o.std)
        h.attrs["views"] = np.int32(1)
        h.attrs["outputs"] = np.array([[2, 0, 0, 0]], np.int32)
        s = h.create_group("segmentation")
        text(s, "method", "flood")
        for a, fov, delta in zip("xyz", o.fov, o.deltas):
            s.attrs[f"fov_{a}"] = np.float64(fov)
            s.attrs[f"delta_{a}"] = np.float64(delta)
        for k in ("seed", "pad", "move_threshold", "threshold", "min_voxels"):
            s.attrs[k] = np.float64(getattr(o, k))
        write_layers(h.create_group("layers"), archive)


def conv3(x, weight, bias):
    """x [c][z][y][x]; zeros outside."""
    k = weight.shape[2:]
    p = np.pad(x, [(0, 0)] + [(n // 2, n // 2) for n in k])
    out = np.zeros((weight.shape[0], *x.shape[1:]), np.float32)
    for dz, dy, dx in np.ndindex(*k):
        part = p[:, dz:dz + x.shape[1], dy:dy + x.shape[2], dx:dx + x.shape[3]]
        out += np.tensordot(weight[:, :, dz, dy, dx], part, 1)
    return out + bias[:, None, None, None]


def run_file(path, x):
    """Runs the model file on x [2][z][y][x], knowing only the file."""
    out = []
    with h5py.File(path) as h:
        for k in sorted(h["layers"]):
            g = h["layers"][k]
            src = [x if i < 0 else out[i] for i in g.attrs["inputs"]]
            y = (conv3(src[0], g["weight"][()], g["bias"][()])
                 if g.attrs["op"] == "conv" else sum(src))
            out.append(np.maximum(y, 0) if g.attrs.get("relu", 0) else y)
    return out[-1][0]


def check(o):
    r = np.load(o.reference)
    logit = r["seed"] + run_file(o.model, np.stack([r["image"], r["seed"]]))
    err = float(np.abs(logit - r["out_logit"]).max())
    if err > 1e-3:
        raise SystemExit(f"{o.model}: differs from the reference by {err:.2g}")
    print(f"{o.model}: largest difference {err:.1e}")


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("weights")
    ap.add_argument("model")
    ap.add_argument("--reference")
    ap.add_argument("--name", default="ffn-fib25")
    ap.add_argument("--voxel-nm", type=float, nargs=3, default=(8.0, 8.0, 8.0))
    ap.add_argument("--fov", type=int, nargs=3, default=(33, 33, 33), help="x y z")
    ap.add_argument("--deltas", type=int, nargs=3, default=(8, 8, 8), help="x y z")
    ap.add_argument("--mean", type=float, default=128.0)
    ap.add_argument("--std", type=float, default=33.0)
    ap.add_argument("--seed", type=float, default=0.95)
    ap.add_argument("--pad", type=float, default=0.05)
    ap.add_argument("--move-threshold", type=float, default=0.9)
    ap.add_argument("--threshold", type=float, default=0.6)
    ap.add_argument("--min-voxels", type=float, default=1000)
    o = ap.parse_args()
    write(o)
    if o.reference:
        check(o)


if __name__ == "__main__":
    main()
