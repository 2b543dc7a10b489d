#!/usr/bin/env python3
"""Speed of inference beside other engines: same network, tile, threads, run.

unet.py CONNEXON_CLI [--rounds N] [--threads N] [--seconds S] [--work DIR] [--only TEXT]

Builds the oneDNN peer (package libdnnl-dev), makes a Python environment with
ONNX Runtime and OpenVINO in DIR (default .build/peers) if it is not there;
PyTorch is taken from there, or from the system's Python.  Then runs every
engine in turn, --rounds times, and prints the fastest of the rounds (each the
median of its runs), in Mvoxel/s of processor time (with more than one thread:
of wall clock), and the ratio to the best peer of the same type under the same
cap of the instruction set. The fastest, because what else shares the processor
only ever slows a round. Engines that are missing are named.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ["onnxruntime", "onnx", "openvino", "numpy"]
# Our instruction set, type, oneDNN's cap, engines that can be held to it.
CASES = [
    ("amx", "int8", "", ["onednn", "onnxruntime", "openvino"]),
    ("amx", "bf16", "", ["onednn", "openvino", "torch"]),
    ("avx512", "fp32", "AVX512_CORE", ["onednn", "onnxruntime", "openvino", "torch"]),
    ("vnni", "int8", "AVX512_CORE_VNNI", ["onednn", "onnxruntime"]),
    ("avx2", "int8", "AVX2", ["onednn"]),
    ("avx2", "fp32", "AVX2", ["onednn", "torch"]),
]


def prepare(work):
    work.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-O2", str(HERE / "unet_onednn.c"), "-o", str(work / "unet_onednn"),
                    "-ldnnl", "-lm"], check=False)
    python = work / "venv/bin/python"
    if not python.exists():
        venv.create(work / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEERS], check=False)
    return python


def command(engine, case, options, python, work):
    isa, kind, _, _ = case
    if engine == "connexon":
        return [options.cli, "bench", "unet", "--isa", isa, "--type", kind, "--json", "--quiet",
                "--threads", str(options.threads)]
    if engine == "onednn":
        return [work / "unet_onednn", kind, "16", "512", str(options.seconds)]
    if engine == "torch":
        has = subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0
        python = python if has else "/usr/bin/python3"
    return [python, HERE / "unet_peers.py", engine, kind, str(options.threads), str(options.seconds)]


def speed(engine, case, options, python, work):
    env = dict(os.environ, OMP_NUM_THREADS=str(options.threads), OMP_WAIT_POLICY="passive")
    if case[2]:
        env["ONEDNN_MAX_CPU_ISA"] = case[2]
    done = subprocess.run([str(a) for a in command(engine, case, options, python, work)],
                          env=env, capture_output=True, text=True)
    if done.returncode != 0:
        return None
    if engine == "connexon":
        result = json.loads(done.stdout)
        wall, cpu = result["mvox_per_s"], result["mvox_per_cpu_s"] * options.threads
    else:
        wall, cpu = map(float, done.stdout.split())
    return cpu if options.threads == 1 else wall


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cli")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--work", type=pathlib.Path, default=HERE.parent.parent / ".build/peers")
    parser.add_argument("--only", default="", help="cases whose name (amx-int8, …) holds this text")
    options = parser.parse_args()
    python = prepare(options.work)
    print(f"{'':12} {'Connexon':>9} {'best peer':>22} {'ratio':>6}   all peers, Mvoxel/s")
    for case in CASES:
        name, seen = f"{case[0]}-{case[1]}", {}
        if options.only not in name:
            continue
        engines = ["connexon", *case[3]]
        for _ in range(options.rounds):
            for engine in list(engines):
                value = speed(engine, case, options, python, options.work)
                if value is None:
                    engines.remove(engine)
                    print(f"{name}: {engine} is missing or cannot run this", file=sys.stderr)
                else:
                    seen.setdefault(engine, []).append(value)
        speeds = {e: max(v) for e, v in seen.items()}
        ours, peers = speeds.pop("connexon", 0.0), speeds
        best = max(peers, key=peers.get, default=None)
        ratio = f"{ours / peers[best]:6.2f}" if best else "     -"
        against = f"{best} {peers[best]:.2f}" if best else "none"
        rest = ", ".join(f"{e} {v:.2f}" for e, v in sorted(peers.items()))
        print(f"{name:12} {ours:9.2f} {against:>22} {ratio}   {rest}", flush=True)


if __name__ == "__main__":
    main()
