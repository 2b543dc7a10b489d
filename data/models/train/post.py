"""Segmentation in Python for choosing thresholds and for scores: a reference, not the program.

Volumes: fragments by watershed from distance-transform seeds, then agglomeration by mean
affinity. Sections: watershed of the smoothed membrane probability from its low regions.
"""
import heapq

import numpy as np
from scipy import ndimage as ndi
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from skimage.feature import peak_local_max
from skimage.segmentation import watershed


def contingency(seg, truth):
    m = truth != 0
    a = np.unique(seg[m], return_inverse=True)[1].astype(np.int64)
    b = np.unique(truth[m], return_inverse=True)[1].astype(np.int64)
    k, c = np.unique(a * (b.max() + 1) + b, return_counts=True)
    return k // (b.max() + 1), k % (b.max() + 1), c.astype(float)


def score(seg, truth):
    """VOI split = H(seg | truth), merge = H(truth | seg), bits, and ARAND; truth 0 left out."""
    a, b, c = contingency(seg, truth)
    n, sa, sb = c.sum(), np.bincount(a, c), np.bincount(b, c)
    h = lambda p: -(p / n * np.log2(p / n)).sum()
    ar = 1 - 2 * (c ** 2).sum() / ((sa ** 2).sum() + (sb ** 2).sum())
    return h(c) - h(sb), h(c) - h(sa), ar


def fragments(aff, outputs, par):
    """3-D fragments. par: seed_level, seed_sigma, seed_distance, border_sigma."""
    near = [c for c, r in enumerate(outputs) if r[0] == 1 and sum(map(abs, r[1:])) == 1]
    mid = [c for c, r in enumerate(outputs) if r[0] == 1 and sum(map(abs, r[1:])) <= 3]
    bd = np.zeros(aff.shape[1:], np.float32)      # an affinity counts for both its voxels
    for c in near:
        d = [outputs[c][3], outputs[c][2], outputs[c][1]]
        bd += (2 - aff[c] - np.roll(aff[c], d, (0, 1, 2))) / (2 * len(near))
    if par.get("mid", 0):
        for c in mid[len(near):]:
            d = [outputs[c][3], outputs[c][2], outputs[c][1]]
            s = [k // 3 for k in d]
            m = 1 - np.roll(aff[c], s, (0, 1, 2))
            bd = bd + par["mid"] * m / len(near)
        bd /= 1 + par["mid"]
    dist = ndi.gaussian_filter(ndi.distance_transform_edt(bd < par["seed_level"]),
                               par["seed_sigma"])
    pk = peak_local_max(dist, min_distance=par["seed_distance"], threshold_abs=0.5,
                        exclude_border=False)
    s = np.zeros(bd.shape, np.int32)
    s[tuple(pk.T)] = np.arange(1, len(pk) + 1)
    land = ndi.gaussian_filter(bd, par["border_sigma"]) if par["border_sigma"] else bd
    return watershed(land, s)


def edges(aff, outputs, frag, long_weight):
    """Touching pairs and their (sum, weight) of affinities."""
    n = int(frag.max()) + 1
    keys, sums, cnts, touch = [], [], [], None
    order = sorted(range(len(outputs)), key=lambda c: sum(map(abs, outputs[c][1:])))
    for c in order:
        kind, dx, dy, dz = outputs[c]
        if kind != 1:
            continue
        w = 1.0 if abs(dx) + abs(dy) + abs(dz) == 1 else long_weight
        if w <= 0:
            continue
        lo = tuple(slice(0, s - d) for s, d in zip(frag.shape, (dz, dy, dx)))
        hi = tuple(slice(d, None) for d in (dz, dy, dx))
        a, b = frag[lo], frag[hi]
        m = a != b
        a, b, v = a[m].astype(np.int64), b[m].astype(np.int64), aff[c][lo][m]
        k, inv = np.unique(np.minimum(a, b) * n + np.maximum(a, b), return_inverse=True)
        keys.append(k)
        sums.append(np.bincount(inv, v) * w)
        cnts.append(np.bincount(inv) * w)
        if w == 1.0:
            touch = k if touch is None else np.union1d(touch, k)
    k = np.concatenate(keys)
    u, inv = np.unique(k, return_inverse=True)
    s, w = np.bincount(inv, np.concatenate(sums)), np.bincount(inv, np.concatenate(cnts))
    ok = np.isin(u, touch)
    return u[ok] // n, u[ok] % n, s[ok], w[ok]


def agglomerate(n, e, stop=0.1):
    """Greedy mean-affinity merging; returns (a, b, running-minimum score) in order."""
    adj = [dict() for _ in range(n)]
    for i, (a, b, s, w) in enumerate(zip(*(x.tolist() for x in e))):
        adj[a][b] = adj[b][a] = (s, w)
    q = [(-s / w, a, b) for a in range(n) for b, (s, w) in adj[a].items() if a < b]
    heapq.heapify(q)
    out, low, alive = [], 1.0, np.ones(n, bool)
    while q:
        sc, a, b = heapq.heappop(q)
        if not (alive[a] and alive[b]) or b not in adj[a]:
            continue
        s, w = adj[a][b]
        if -s / w != sc:
            continue
        if -sc < stop:
            break
        low = min(low, -sc)
        out.append((a, b, low))
        if len(adj[a]) < len(adj[b]):
            a, b = b, a
        alive[b] = False
        del adj[a][b]
        for t, (s, w) in adj[b].items():
            if t == a:
                continue
            del adj[t][b]
            if t in adj[a]:
                s, w = s + adj[a][t][0], w + adj[a][t][1]
            adj[a][t] = adj[t][a] = (s, w)
            heapq.heappush(q, (-s / w, min(a, t), max(a, t)))
        adj[b] = {}
    return out


def apply(frag, merges, threshold):
    n = int(frag.max()) + 1
    m = [(a, b) for a, b, s in merges if s >= threshold]
    a = np.array(m, np.int64).reshape(-1, 2)
    g = coo_matrix((np.ones(len(a)), (a[:, 0], a[:, 1])), (n, n))
    return connected_components(g, directed=False)[1][frag] + 1


def finish(frag, merges, e, threshold, par):
    """As apply, with `dust`: regions below dust_voxels join their best neighbour afterwards if
    its mean affinity reaches dust_threshold; `large`: see the program's agglomerate options."""
    seg = apply(frag, merges, threshold)
    n = int(seg.max()) + 1
    lut = np.zeros(int(frag.max()) + 1, np.int64)
    lut[frag.ravel()] = seg.ravel()
    a, b = lut[e[0]], lut[e[1]]
    m = a != b
    k, inv = np.unique(np.minimum(a, b)[m] * n + np.maximum(a, b)[m], return_inverse=True)
    s = np.bincount(inv, e[2][m]) / np.bincount(inv, e[3][m])
    a, b = k // n, k % n
    size = np.bincount(seg.ravel(), minlength=n)
    best = {}
    for x, y, v in zip(a.tolist(), b.tolist(), s.tolist()):
        for p, q in ((x, y), (y, x)):
            if size[p] < par["dust_voxels"] and v >= par["dust_threshold"] \
                    and v > best.get(p, (0, 0))[0]:
                best[p] = (v, q)
    p = np.array([(u, t[1]) for u, t in best.items()], np.int64).reshape(-1, 2)
    g = coo_matrix((np.ones(len(p)), (p[:, 0], p[:, 1])), (n, n))
    return connected_components(g, directed=False)[1][seg] + 1


def oracle(frag, truth):
    """Every fragment given to the body it overlaps most: the best any merging can do."""
    a, b, c = contingency(frag, truth)
    best = np.zeros(a.max() + 1, np.int64)
    o = np.argsort(c, kind="stable")
    best[a[o]] = b[o]
    m = truth != 0
    s = np.zeros(truth.shape, np.int64)
    s[m] = best[np.unique(frag[m], return_inverse=True)[1]]
    return score(s, truth)


def section(p, sigma, level):
    """One section: watershed of the membrane probability p from its regions below level."""
    p = ndi.gaussian_filter(p, sigma)
    seeds, _ = ndi.label(p < level)
    return watershed(p, seeds)


def isbi_scores(seg, inside):
    """V_rand and V_info of one section; truth = 4-connected components of the cell interior."""
    g, _ = ndi.label(inside)
    a, b, c = contingency(seg, g)
    n, sa, sb = c.sum(), np.bincount(a, c), np.bincount(b, c)
    h = lambda p: -(p / n * np.log(p / n)).sum()
    return ((c ** 2).sum() / (0.5 * (sa ** 2).sum() + 0.5 * (sb ** 2).sum()),
            (h(sa) + h(sb) - h(c)) / (0.5 * h(sa) + 0.5 * h(sb)))
