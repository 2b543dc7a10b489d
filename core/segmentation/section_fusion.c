/* Links between the segments of consecutive sections.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/section_fusion.h"

#include "core/base/hash64.h"
#include "core/jobs/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A section is lost if its neighbours agree with each other better than it
 * does with either, by this much. */
#define LOST_MARGIN 0.15

/* --- shift ------------------------------------------------------------------ */

#define SCALE 2 /* shifts are searched on borders at half size */

typedef struct {
    int64_t nx, ny;
    uint8_t *values; /* borders, blurred */
} Borders;

/* Share of border pixels in each 2 x 2 square, blurred over 5 x 5 squares. */
static Borders
borders_of(const uint32_t *labels, CxVoxel size)
{
    Borders out = {size.x / SCALE, size.y / SCALE, NULL};
    size_t n = (size_t)(out.nx * out.ny);
    g_autofree uint8_t *raw = g_malloc0(n + 1);

    out.values = g_malloc0(n + 1);
    for (int64_t y = 0; y + 1 < out.ny * SCALE; y++) {
        const uint32_t *row = labels + y * size.x;
        for (int64_t x = 0; x + 1 < out.nx * SCALE; x++) {
            bool border = row[x] != row[x + 1] || row[x] != row[x + size.x];
            raw[y / SCALE * out.nx + x / SCALE] += border ? 10 : 0;
        }
    }
    for (int64_t y = 2; y + 2 < out.ny; y++) {
        for (int64_t x = 2; x + 2 < out.nx; x++) {
            unsigned sum = 0;
            for (int64_t v = -2; v <= 2; v++)
                for (int64_t u = -2; u <= 2; u++)
                    sum += raw[(y + v) * out.nx + x + u];
            out.values[y * out.nx + x] = (uint8_t)MIN(255, sum);
        }
    }
    return out;
}

/* Mean absolute difference of two border maps at a shift. */
static double
difference(const Borders *a, const Borders *b, int64_t dx, int64_t dy)
{
    int64_t x0 = MAX(0, -dx), x1 = MIN(a->nx, a->nx - dx);
    int64_t y0 = MAX(0, -dy), y1 = MIN(a->ny, a->ny - dy);
    uint64_t sum = 0;

    if (x0 >= x1 || y0 >= y1)
        return INFINITY;
    for (int64_t y = y0; y < y1; y++) {
        const uint8_t *p = a->values + y * a->nx;
        const uint8_t *q = b->values + (y + dy) * b->nx + dx;
        uint32_t row = 0;
        for (int64_t x = x0; x < x1; x++)
            row += (uint32_t)abs((int)p[x] - (int)q[x]);
        sum += row;
    }
    return (double)sum / (double)((x1 - x0) * (y1 - y0));
}

/* The shift with the least difference; the shorter of equals, and none unless
 * it gains 3 %. */
static void
find_shift(CxSectionPair *pair, const uint32_t *below, const uint32_t *above,
           CxVoxel size, int64_t max_shift)
{
    int64_t reach = max_shift / SCALE;

    if (reach == 0 || size.x < 16 || size.y < 16)
        return;
    Borders a = borders_of(below, size), b = borders_of(above, size);
    double best = 0.97 * difference(&a, &b, 0, 0);
    for (int64_t dy = -reach; dy <= reach; dy++) {
        for (int64_t dx = -reach; dx <= reach; dx++) {
            double d = difference(&a, &b, dx, dy);
            int64_t length = dx * dx + dy * dy;
            int64_t best_length =
                (pair->dx * pair->dx + pair->dy * pair->dy) / (SCALE * SCALE);
            if (d < best || (d == best && length < best_length)) {
                best = d;
                pair->dx = dx * SCALE;
                pair->dy = dy * SCALE;
            }
        }
    }
    g_free(a.values);
    g_free(b.values);
}

/* --- overlaps ---------------------------------------------------------------- */

static void
add_sizes(CxHash64 *sizes, const uint32_t *labels, int64_t n)
{
    for (int64_t i = 0; i < n;) {
        int64_t end = i + 1;

        while (end < n && labels[end] == labels[i])
            end++;
        if (labels[i] != 0)
            *cx_hash64_at(sizes, labels[i], 0, NULL) += (uint64_t)(end - i);
        i = end;
    }
}

/* Counts overlaps; also the sizes of the parts that lie under the other
 * section at all. */
static CxHash64 *
count_overlaps(const CxSectionPair *pair, const uint32_t *below,
               const uint32_t *above, CxVoxel size, CxHash64 *sizes)
{
    CxHash64 *overlaps = cx_hash64_new(1024);
    int64_t x0 = MAX(0, -pair->dx), x1 = MIN(size.x, size.x - pair->dx);
    int64_t y0 = MAX(0, -pair->dy), y1 = MIN(size.y, size.y - pair->dy);

    for (int64_t y = y0; y < y1 && x0 < x1; y++) {
        const uint32_t *p = below + y * size.x + x0;
        const uint32_t *q = above + (y + pair->dy) * size.x + x0 + pair->dx;
        int64_t n = x1 - x0;

        add_sizes(sizes, p, n);
        add_sizes(sizes, q, n);
        for (int64_t i = 0; i < n;) {
            int64_t end = i + 1;
            while (end < n && p[end] == p[i] && q[end] == q[i])
                end++;
            if (p[i] != 0 && q[i] != 0)
                *cx_hash64_at(overlaps, (uint64_t)p[i] << 32 | q[i], 0, NULL) +=
                    (uint64_t)(end - i);
            i = end;
        }
    }
    return overlaps;
}

static int
compare_links(const void *a, const void *b)
{
    const CxSectionLink *x = a, *y = b;

    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return x->b < y->b ? -1 : x->b > y->b;
}

static GArray *
sorted_links(const CxHash64 *overlaps)
{
    GArray *links = g_array_new(FALSE, FALSE, sizeof(CxSectionLink));
    size_t cursor = 0;
    uint64_t key, n;

    while (cx_hash64_next(overlaps, &cursor, &key, &n)) {
        CxSectionLink link = {(uint32_t)(key >> 32), (uint32_t)key, (uint32_t)n,
                              0};
        g_array_append_val(links, link);
    }
    if (links->len > 1)
        qsort(links->data, links->len, sizeof(CxSectionLink), compare_links);
    return links;
}

/* --- scores ------------------------------------------------------------------ */

/* Share of the two that they have in common. */
static double
jaccard(const CxHash64 *sizes, const CxSectionLink *link)
{
    uint64_t a = 0, b = 0;

    cx_hash64_get(sizes, link->a, &a);
    cx_hash64_get(sizes, link->b, &b);
    return (double)link->overlap / (double)(a + b - link->overlap);
}

/* Best share of every segment, as a whole number of 1 / 2^32. */
static CxHash64 *
best_shares(const CxHash64 *sizes, const GArray *links)
{
    CxHash64 *best = cx_hash64_new(1024);

    for (guint i = 0; i < links->len; i++) {
        const CxSectionLink *link = &g_array_index(links, CxSectionLink, i);
        uint64_t share = (uint64_t)(jaccard(sizes, link) * 4294967296.0);
        uint64_t *a = cx_hash64_at(best, link->a, 0, NULL);
        *a = MAX(*a, share);
        uint64_t *b = cx_hash64_at(best, link->b, 0, NULL);
        *b = MAX(*b, share);
    }
    return best;
}

static double
logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* The weights: README.md, "section links". */
static float
score_of(const CxHash64 *sizes, const CxHash64 *best, const CxSectionLink *link)
{
    uint64_t a = 1, b = 1, best_a = 1, best_b = 1;

    cx_hash64_get(sizes, link->a, &a);
    cx_hash64_get(sizes, link->b, &b);
    cx_hash64_get(best, link->a, &best_a);
    cx_hash64_get(best, link->b, &best_b);
    double share = jaccard(sizes, link);
    double small = (double)link->overlap / (double)MIN(a, b);
    double large = (double)link->overlap / (double)MAX(a, b);
    double rank_a = share * 4294967296.0 / (double)MAX(1, best_a);
    double rank_b = share * 4294967296.0 / (double)MAX(1, best_b);

    return (float)logistic(-6.06 + 2.54 * small + 5.71 * large +
                           2.01 * MIN(rank_a, rank_b) +
                           2.76 * MAX(rank_a, rank_b));
}

/* Mean over the pixels below of their segment's best share. */
static double
agreement_of(const CxHash64 *sizes, const CxHash64 *best)
{
    size_t cursor = 0;
    uint64_t label, share;
    double sum = 0, n = 0;

    while (cx_hash64_next(best, &cursor, &label, &share)) {
        uint64_t size = 0;
        cx_hash64_get(sizes, label, &size);
        sum += (double)size * (double)share / 4294967296.0;
        n += (double)size;
    }
    return n > 0 ? sum / n : 0;
}

CxSectionPair *
cx_section_pair_new(const uint32_t *labels, CxVoxel size, int64_t below,
                    int64_t above, int64_t max_shift)
{
    CxSectionPair *pair = g_new0(CxSectionPair, 1);
    const uint32_t *a = labels + below * size.x * size.y;
    const uint32_t *b = labels + above * size.x * size.y;
    g_autoptr(CxHash64) sizes = cx_hash64_new(1024);

    pair->below = below;
    pair->above = above;
    find_shift(pair, a, b, size, max_shift);
    g_autoptr(CxHash64) overlaps = count_overlaps(pair, a, b, size, sizes);
    pair->links = sorted_links(overlaps);
    g_autoptr(CxHash64) best = best_shares(sizes, pair->links);
    for (guint i = 0; i < pair->links->len; i++) {
        CxSectionLink *link = &g_array_index(pair->links, CxSectionLink, i);
        link->score = score_of(sizes, best, link);
    }
    pair->agreement = agreement_of(sizes, best);
    return pair;
}

void
cx_section_pair_free(CxSectionPair *pair)
{
    if (pair == NULL)
        return;
    g_clear_pointer(&pair->links, g_array_unref);
    g_free(pair);
}

float
cx_section_pair_score(const CxSectionPair *pair, uint32_t a, uint32_t b)
{
    CxSectionLink key = {.a = a, .b = b};
    const CxSectionLink *link =
        pair->links->len > 0
            ? bsearch(&key, pair->links->data, pair->links->len,
                      sizeof(CxSectionLink), compare_links)
            : NULL;

    return link != NULL ? link->score : 0;
}

/* --- the stack --------------------------------------------------------------- */

typedef struct {
    const uint32_t *labels;
    CxVoxel size;
    int64_t max_shift;
    CxSectionPair **near; /* z with z + 1 */
    CxSectionPair **far;  /* z with z + 2 */
} Stack;

static bool
do_section(size_t z, unsigned worker, void *data, GError **error)
{
    Stack *stack = data;
    int64_t below = (int64_t)z;

    if (below + 1 < stack->size.z)
        stack->near[z] = cx_section_pair_new(stack->labels, stack->size, below,
                                             below + 1, stack->max_shift);
    if (below + 2 < stack->size.z)
        stack->far[z] = cx_section_pair_new(stack->labels, stack->size, below,
                                            below + 2, stack->max_shift);
    return true;
}

/* Is section z out of line with both neighbours, which agree? */
static bool
is_lost(const Stack *stack, int64_t z)
{
    if (z < 1 || z + 1 >= stack->size.z)
        return false;
    double beside =
        MAX(stack->near[z - 1]->agreement, stack->near[z]->agreement);

    return stack->far[z - 1]->agreement > beside + LOST_MARGIN;
}

static GPtrArray *
choose_pairs(Stack *stack)
{
    GPtrArray *pairs =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_section_pair_free);
    g_autofree bool *lost = g_new0(bool, (size_t)stack->size.z + 1);

    for (int64_t z = 0; z < stack->size.z; z++)
        lost[z] = is_lost(stack, z);
    for (int64_t z = 0; z + 1 < stack->size.z; z++) {
        if (lost[z])
            continue;
        CxSectionPair **from = lost[z + 1] ? stack->far : stack->near;
        g_ptr_array_add(pairs, g_steal_pointer(&from[z]));
    }
    return pairs;
}

GPtrArray *
cx_section_fusion(const uint32_t *labels, CxVoxel size,
                  const CxSectionFusionOptions *options, CxJob *job,
                  GError **error)
{
    size_t n = (size_t)size.z;
    g_autofree CxSectionPair **near = g_new0(CxSectionPair *, n + 1);
    g_autofree CxSectionPair **far = g_new0(CxSectionPair *, n + 1);
    Stack stack = {labels, size, options->max_shift, near, far};
    GPtrArray *pairs = NULL;

    if (cx_parallel_for(options->n_threads, n, do_section, &stack, job, error))
        pairs = choose_pairs(&stack);
    for (size_t z = 0; z < n; z++) {
        cx_section_pair_free(near[z]);
        cx_section_pair_free(far[z]);
    }
    return pairs;
}
