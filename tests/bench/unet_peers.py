#!/usr/bin/env python3
"""The network of core/nn/bench_unet.h in other engines, for comparison.

unet_peers.py ENGINE TYPE [THREADS [SECONDS [BASE [TILE]]]]

ENGINE: torch, onnxruntime, openvino.  TYPE: fp32, bf16, int8 where the engine
has it.  Prints Mvoxel/s by wall clock and by processor time of the process
over its threads; exit code 77 where engine or type are missing.
"""
import statistics
import sys
import time

import numpy as np

LEVELS = 4


class Missing(Exception):
    pass


def graph(base, seed=1):
    """Layers (op, inputs, weight, bias, relu) with He weights, -1 = image."""
    rng, layers = np.random.default_rng(seed), []

    def add(op, inputs, shape=None, relu=False):
        weight = bias = None
        if shape:
            fan_in = shape[0] if op == "up" else np.prod(shape[1:])
            weight = (rng.standard_normal(shape) * (2 / fan_in) ** 0.5).astype(np.float32)
            bias = (0.1 * rng.standard_normal(shape[1] if op == "up" else shape[0])).astype(np.float32)
        layers.append((op, inputs, weight, bias, relu))
        return len(layers) - 1

    def pair(at, n_in, n):
        at = add("conv", [at], (n, n_in, 3, 3), True)
        return add("conv", [at], (n, n, 3, 3), True)

    c, skips, at = [base << i for i in range(LEVELS + 1)], [], -1
    for i in range(LEVELS + 1):
        if i:
            at = add("pool", [at])
        at = pair(at, c[i - 1] if i else 1, c[i])
        skips.append(at)
    for i in range(LEVELS - 1, -1, -1):
        up = add("up", [at], (c[i + 1], c[i], 2, 2))
        at = pair(add("concat", [skips[i], up]), 2 * c[i], c[i])
    add("conv", [at], (1, base, 1, 1))
    return layers


def torch_runner(kind, threads, layers, image):
    try:
        import torch
        import torch.nn.functional as F
    except ImportError as error:
        raise Missing(error) from None
    if kind == "int8":
        raise Missing("not run in 8 bits")
    dtype = torch.bfloat16 if kind == "bf16" else torch.float32
    torch.set_num_threads(threads)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = torch.nn.ModuleList()
            for op, _, weight, bias, _ in layers:
                part = torch.nn.Identity()
                if op == "conv":
                    o, i, k, _ = weight.shape
                    part = torch.nn.Conv2d(i, o, k, padding=k // 2)
                elif op == "up":
                    i, o, k, _ = weight.shape
                    part = torch.nn.ConvTranspose2d(i, o, k, stride=k)
                if weight is not None:
                    part.weight.data = torch.from_numpy(weight)
                    part.bias.data = torch.from_numpy(bias)
                self.parts.append(part)

        def forward(self, x):
            made = {-1: x}
            for i, part in enumerate(self.parts):
                op, inputs, _, _, relu = layers[i]
                ins = [made[j] for j in inputs]
                if op == "pool":
                    y = F.max_pool2d(ins[0], 2)
                else:
                    y = part(torch.cat(ins, 1) if op == "concat" else ins[0])
                made[i] = F.relu(y) if relu else y
            return torch.sigmoid(made[len(layers) - 1])

    net = Net().eval().to(dtype).to(memory_format=torch.channels_last)
    x = torch.from_numpy(image).to(dtype).to(memory_format=torch.channels_last)
    with torch.no_grad():
        net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, x)))

    def run():
        with torch.no_grad():
            net(x)
    return run


def onnx_model(layers, image):
    try:
        import onnx
        from onnx import helper as h, numpy_helper as nh
    except ImportError as error:
        raise Missing(error) from None
    nodes, weights, names = [], [], {-1: "image"}
    for i, (op, inputs, weight, bias, relu) in enumerate(layers):
        ins, out = [names[j] for j in inputs], f"t{i}"
        if weight is not None:
            weights += [nh.from_array(weight, f"w{i}"), nh.from_array(bias, f"b{i}")]
            ins += [f"w{i}", f"b{i}"]
        if op == "conv":
            k = weight.shape[2]
            nodes.append(h.make_node("Conv", ins, [out], kernel_shape=[k, k], pads=[k // 2] * 4))
        elif op == "up":
            nodes.append(h.make_node("ConvTranspose", ins, [out], kernel_shape=[2, 2], strides=[2, 2]))
        elif op == "pool":
            nodes.append(h.make_node("MaxPool", ins, [out], kernel_shape=[2, 2], strides=[2, 2]))
        else:
            nodes.append(h.make_node("Concat", ins, [out], axis=1))
        if relu:
            nodes.append(h.make_node("Relu", [out], [out + "r"]))
            out += "r"
        names[i] = out
    nodes.append(h.make_node("Sigmoid", [out], ["y"]))
    shape = list(image.shape)
    g = h.make_graph(nodes, "unet", [h.make_tensor_value_info("image", onnx.TensorProto.FLOAT, shape)],
                     [h.make_tensor_value_info("y", onnx.TensorProto.FLOAT, shape)], weights)
    return h.make_model(g, opset_imports=[h.make_opsetid("", 17)], ir_version=8)


def quantised(model, image, work):
    import onnx
    from onnxruntime import quantization as q

    class Reader(q.CalibrationDataReader):
        def __init__(self):
            self.items = iter([{"image": image}])

        def get_next(self):
            return next(self.items, None)

    onnx.save(model, f"{work}/fp32.onnx")
    q.quantize_static(f"{work}/fp32.onnx", f"{work}/int8.onnx", Reader(),
                      quant_format=q.QuantFormat.QDQ, per_channel=True,
                      activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8)
    return onnx.load(f"{work}/int8.onnx")


def model_of(kind, layers, image):
    import tempfile
    model = onnx_model(layers, image)
    if kind != "int8":
        return model
    try:
        with tempfile.TemporaryDirectory() as work:
            return quantised(model, image, work)
    except ImportError as error:
        raise Missing(error) from None


def onnxruntime_runner(kind, threads, layers, image):
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise Missing(error) from None
    if kind == "bf16":
        raise Missing("no bfloat16 on the processor")
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model_of(kind, layers, image).SerializeToString(), options,
                                   providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"image": image})


def openvino_runner(kind, threads, layers, image):
    try:
        import openvino as ov
    except ImportError as error:
        raise Missing(error) from None
    core = ov.Core()
    model = core.read_model(model_of(kind, layers, image).SerializeToString())
    config = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
              "INFERENCE_PRECISION_HINT": "bf16" if kind == "bf16" else "f32"}
    request = core.compile_model(model, "CPU", config).create_infer_request()
    return lambda: request.infer({0: image})


RUNNERS = {"torch": torch_runner, "onnxruntime": onnxruntime_runner, "openvino": openvino_runner}


def measure(run, seconds):
    wall, cpu = [], []
    run(), run()
    while len(wall) < 3 or sum(wall) < seconds:
        w, c = time.perf_counter(), time.process_time()
        run()
        wall.append(time.perf_counter() - w)
        cpu.append(time.process_time() - c)
    return statistics.median(wall), statistics.median(cpu)


def main():
    engine, kind = sys.argv[1:3]
    threads, seconds, base, tile = (
        [float(a) for a in sys.argv[3:]] + [1, 1.5, 16, 512][len(sys.argv) - 3:])
    image = np.random.default_rng(2).standard_normal((1, 1, int(tile), int(tile))).astype(np.float32)
    try:
        run = RUNNERS[engine](kind, int(threads), graph(int(base)), image)
        run()
    except (Missing, RuntimeError) as error:
        print(f"{engine} {kind}: {error}", file=sys.stderr)
        sys.exit(77)
    wall, cpu = measure(run, seconds)
    print(f"{image.size / 1e6 / wall:.4f} {image.size / 1e6 / cpu * threads:.4f}")


if __name__ == "__main__":
    main()
