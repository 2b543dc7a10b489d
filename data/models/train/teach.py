"""Labels the unlabelled FIB-SEM block by the mean of several networks, three cutting directions each.

teach.py taught.npz fib_a.pt fib_b.pt
"""
import os
import sys

import numpy as np
import tifffile
import torch

import fib
from common import DATA, THREADS
from predict import load_net, predict


def main():
    out, weights = sys.argv[1], sys.argv[2:]
    torch.set_num_threads(THREADS)
    raw = tifffile.imread(os.path.join(DATA, "fib-medulla", "unlabelled_250.tif"))
    v, acc = (raw.astype(np.float32) - fib.MEAN) / fib.STD, 0
    for w in weights:
        acc = acc + predict(load_net("fib", w)[1], v, fib.OUTPUTS, 3, 24) / len(weights)
    np.savez(out, block=np.concatenate([raw[None], np.rint(acc * 255).astype(np.uint8)]))


if __name__ == "__main__":
    main()
