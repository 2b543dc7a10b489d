"""Turns a PyTorch checkpoint of a retina network into a file of the program.

retina_from_torch.py checkpoint.pt net.h5 [--size 40,50,50] [--name NAME] [--trust]

The networks are those of McIntosh et al. 2016, Tanaka et al. 2019 and
Maheswaranathan et al. 2023 with batch normalisation: convolution, normalisation,
relu, twice, then a dense layer (or a convolution, of which each cell is one place)
with normalisation and softplus. A checkpoint is a dictionary with
"model_state_dict" and perhaps "norm_stats" (mean and s.d. of the film) and
"centers" (row and column of each cell's field), or a state dictionary alone.
The program itself never reads pickles.

Tensors are known by their shapes and endings, in their order:

* several convolutions in a row within one module are one kernel, composed (no
  nonlinearity lies between them);
* normalisation is by unit, by channel or by cell; gains called "scale" count by
  magnitude. A negative gain called "weight" turns the sign of its channel or cell
  round; by unit there is no such kernel, and the checkpoint is refused;
* the program adds 1e-3 to variances, so gains are multiplied by what that changes
  (--epsilon: what the network was trained with, 1e-3, 1e-3 and 1e-5).

checkpoint and film are not ours: whoever publishes the result needs the authors'
permission.
"""
import argparse
import inspect
import pickle
import re
import sys

import h5py
import numpy as np

EPSILON = 1e-3


class Refused(Exception):
    """One sentence for a person."""


def load(path, trust):
    import torch

    kwargs = {"map_location": "cpu"}
    if "weights_only" in inspect.signature(torch.load).parameters:
        kwargs["weights_only"] = not trust
    elif not trust:
        raise Refused(f"{path}: this PyTorch cannot load weights alone, and a pickle "
                      "may run any code; use --trust for a file you trust")
    try:
        data = torch.load(path, **kwargs)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as reason:
        raise Refused(f"{path} cannot be read as weights alone ({type(reason).__name__}); "
                      "--trust reads any pickle, which may run any code") from None
    if not isinstance(data, dict):
        raise Refused(f"{path} holds a {type(data).__name__}, expected a dictionary")
    state = data.get("model_state_dict", data)
    tensors = {k: v.numpy().astype(np.float64) for k, v in state.items()
               if hasattr(v, "numpy") and v.is_floating_point()}
    if not tensors:
        raise Refused(f"{path} holds no tensors, expected a state dictionary")
    return tensors, data


def modules_of(tensors):
    """[(module's name, {ending: tensor})] in order."""
    modules = {}
    for name, value in tensors.items():
        module, _, ending = name.rpartition(".")
        modules.setdefault(module, {})[ending] = value
    return list(modules.items())


def kind_of(parts):
    if "running_mean" in parts:
        return "norm"
    weight = parts.get("weight")
    if weight is not None and weight.ndim == 4:
        return "conv"
    if weight is not None and weight.ndim == 2:
        return "dense"
    return "other"  # noise, for one


def compose(first, second):
    """The kernel and bias that do first, then second."""
    (w1, b1), (w2, b2) = first, second
    if w1.shape[0] != w2.shape[1]:
        raise Refused(f"stacked convolutions of {w1.shape[0]} and {w2.shape[1]} channels "
                      "do not fit together")
    ky, kx = (w1.shape[i] + w2.shape[i] - 1 for i in (2, 3))
    w = np.zeros((w2.shape[0], w1.shape[1], ky, kx))
    for y in range(w2.shape[2]):
        for x in range(w2.shape[3]):
            w[:, :, y:y + w1.shape[2], x:x + w1.shape[3]] += np.einsum(
                "om,miyx->oiyx", w2[:, :, y, x], w1)
    return w, b2 + w2.sum((2, 3)) @ b1


def layers_of(modules):
    """Three of [weight, bias, norm or None]; a run of convolutions within one
    module (sequential.0.convs.0, .1, ...) is one layer."""
    layers, last = [], None
    for name, parts in modules:
        kind = kind_of(parts)
        if kind == "other":
            continue
        stack = re.match(r"[^.]*\.?\d*", name).group(0)
        if kind == "norm":
            if not layers or layers[-1][2] is not None or layers[-1][3] != stack and last != "layer":
                raise Refused(f"{name}: normalisation at an unexpected place")
            layers[-1][2], last = parts, "norm"
            continue
        weight = parts["weight"]
        bias = parts.get("bias", np.zeros(len(weight)))
        stacked = layers and layers[-1][3] == stack and last == "layer" and name != stack
        if stacked:
            layers[-1][0], layers[-1][1] = compose(layers[-1][:2], (weight, bias))
        else:
            layers.append([weight, bias, None, stack])
        last = "layer"
    if len(layers) != 3:
        raise Refused(f"{len(layers)} layers with weights, expected 3")
    return [layer[:3] for layer in layers]


def normalisation(norm, n_channels, shape, by_map, epsilon, where):
    """gain, shift, mean and variance as the program has them, and the signs of the
    channels."""
    n_units = int(np.prod(shape))
    if norm is None:
        one = np.ones(n_channels if by_map else shape)
        return one, 0 * one, 0 * one, one - EPSILON, np.ones(n_channels)
    gain = norm.get("scale", norm.get("weight"))
    shift = norm.get("shift", norm.get("bias"))
    mean, variance = norm["running_mean"], norm["running_var"]
    gain = np.ones_like(mean) if gain is None else np.abs(gain) if "scale" in norm else gain
    shift = np.zeros_like(mean) if shift is None else shift
    gain = gain * np.sqrt((variance + EPSILON) / (variance + epsilon))
    signs = np.ones(n_channels)
    if mean.size == n_channels:
        signs = np.where(gain < 0, -1.0, 1.0)
        gain, mean = np.abs(gain), mean * signs
        if not by_map:
            gain, shift, mean, variance = (
                np.broadcast_to(v[:, None, None], shape) for v in (gain, shift, mean, variance))
    elif mean.size != n_units:
        raise Refused(f"{where}: normalisation of {mean.size} features, expected {n_channels} "
                      f"or {n_units}")
    elif (gain < 0).any():
        raise Refused(f"{where}: {int((gain < 0).sum())} gains by unit are negative; the "
                      "program's never turn a sign round")
    shape = (n_channels,) if by_map else shape
    return tuple(np.reshape(v, shape) for v in (gain, shift, mean, variance)) + (signs,)


def picks_of(data, n_maps, sides, kernels):
    centers = data.get("centers")
    if centers is None:
        for key in ("hyps", "model_hyps"):
            if isinstance(data.get(key), dict):
                centers = data[key].get("centers", centers)
    if centers is None or sides == (1, 1):
        return np.array([[m, sides[0] // 2, sides[1] // 2] for m in range(n_maps)], np.int32)
    half = [sum(k[a] - 1 for k in kernels) // 2 for a in (0, 1)]
    at = [[m, *(int(np.clip(int(c[a]) - half[a], 0, sides[a] - 1)) for a in (0, 1))]
          for m, c in enumerate(list(centers)[:n_maps])]
    return np.array(at, np.int32)


def convert(tensors, data, size, epsilons):
    """{data set: array}, attributes."""
    layers, sets, kernels = layers_of(modules_of(tensors)), {}, []
    n_in, height, width = size
    for i, (weight, bias, norm) in enumerate(layers):
        name = ("layer1", "layer2", "cells")[i]
        if weight.ndim == 2:
            if weight.shape[1] != n_in * height * width:
                raise Refused(f"{name}: a dense layer of {weight.shape[1]} inputs, expected "
                              f"{n_in} x {height} x {width}")
            weight = weight.reshape(-1, n_in, height, width)
        if weight.shape[1] != n_in or weight.shape[2] > height or weight.shape[3] > width:
            raise Refused(f"{name}: a kernel of shape {weight.shape}, expected {n_in} inputs and "
                          f"at most {height} x {width}")
        n_out, kernel = weight.shape[0], weight.shape[2:]
        height, width = height - kernel[0] + 1, width - kernel[1] + 1
        gain, shift, mean, variance, signs = normalisation(
            norm, n_out, (n_out, height, width), i == 2, epsilons[i], name)
        values = dict(weight=weight * signs[:, None, None, None], bias=bias * signs, gain=gain,
                      shift=shift, mean=mean, variance=variance)
        for key, value in values.items():
            if not np.isfinite(value).all():
                raise Refused(f"{name}/{key} is not finite")
            sets[f"{name}/{key}"] = value.astype(np.float32)
        kernels.append(kernel)
        n_in = n_out
    sets["picks"] = picks_of(data, n_in, (height, width), kernels)
    stats = data.get("norm_stats")
    norm = [float(stats[0]), float(stats[1])] if stats is not None else [0.0, 1.0]
    return sets, norm


def write(path, sets, norm, size, name):
    with h5py.File(path, "w") as f:
        f.attrs["format"] = "connexon-retina"
        f.attrs["version"] = np.int32(1)
        f.attrs["height"], f.attrs["width"] = np.int32(size[1]), np.int32(size[2])
        f.attrs["normalisation"] = np.array(norm)
        f.attrs["name"] = name
        f.attrs["description"] = "Converted from a PyTorch checkpoint"
        f.attrs["data"] = f.attrs["licence"] = "not stated in the checkpoint"
        for key, value in sets.items():
            f[key] = value


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("checkpoint")
    p.add_argument("out")
    p.add_argument("--size", default="40,50,50", help="history, height, width")
    p.add_argument("--epsilon", default="1e-3,1e-3,1e-5", help="of each normalisation")
    p.add_argument("--name", help="of the network; that of the file")
    p.add_argument("--trust", action="store_true", help="load whole pickles")
    a = p.parse_args()
    size = tuple(int(v) for v in a.size.split(","))
    epsilons = [float(v) for v in a.epsilon.split(",")]
    try:
        tensors, data = load(a.checkpoint, a.trust)
        sets, norm = convert(tensors, data, size, epsilons)
    except Refused as reason:
        sys.exit(f"retina_from_torch.py: {reason}")
    write(a.out, sets, norm, size, a.name or a.checkpoint)
    print(f"{a.out}: kernels", *("x".join(map(str, sets[f'{k}/weight'].shape))
                                for k in ("layer1", "layer2", "cells")),
          f"cells {len(sets['picks'])}")


if __name__ == "__main__":
    main()
