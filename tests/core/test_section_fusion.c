/* Fusion of 2-D segments over drawn and real stacks with known truth.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/metrics/contingency.h"
#include "core/segmentation/agglomerate.h"
#include "core/segmentation/components.h"
#include "core/segmentation/section_fusion.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

/* A stack of sections with truth, and per section ids of their own. */
typedef struct {
    CxVoxel size;
    size_t n;
    CxId *truth;
    uint32_t *labels;
    uint32_t n_labels;
} Stack;

static void
stack_clear(Stack *stack)
{
    g_free(stack->truth);
    g_free(stack->labels);
}

/* The 4-connected pieces of every section. */
static void
cut_sections(Stack *stack)
{
    CxVoxel plane = {stack->size.x, stack->size.y, 1};
    size_t area = (size_t)(plane.x * plane.y);

    stack->labels = g_new(uint32_t, stack->n);
    for (int64_t z = 0; z < stack->size.z; z++) {
        g_autoptr(CxChunk) section =
            cx_chunk_new(CX_DTYPE_U64, cx_box_of_size(plane), 1, NULL);
        uint64_t count = 0;
        memcpy(cx_chunk_data_mut(section), stack->truth + (size_t)z * area,
               area * sizeof(CxId));
        g_autoptr(CxChunk) pieces =
            cx_components_of_chunk(section, 6, &count, NULL, NULL);
        const CxId *ids = cx_chunk_data(pieces);
        for (size_t i = 0; i < area; i++)
            stack->labels[(size_t)z * area + i] =
                ids[i] != 0 ? stack->n_labels + (uint32_t)ids[i] : 0;
        stack->n_labels += (uint32_t)count;
    }
}

/* Columns of cells around wandering centres: the nearest centre owns a
 * pixel. */
static Stack
draw_stack(CxRng *rng, CxVoxel size, unsigned n_cells, double wander)
{
    Stack stack = {size, (size_t)(size.x * size.y * size.z), NULL, NULL, 0};
    g_autofree double *at = g_new(double, 2 * n_cells);
    size_t i = 0;

    stack.truth = g_new(CxId, stack.n);
    for (unsigned c = 0; c < n_cells; c++) {
        at[2 * c] = cx_rng_uniform(rng) * (double)size.x;
        at[2 * c + 1] = cx_rng_uniform(rng) * (double)size.y;
    }
    for (int64_t z = 0; z < size.z; z++) {
        for (unsigned c = 0; c < 2 * n_cells; c++)
            at[c] += cx_rng_normal(rng) * wander;
        for (int64_t y = 0; y < size.y; y++)
            for (int64_t x = 0; x < size.x; x++, i++) {
                double best = INFINITY;
                for (unsigned c = 0; c < n_cells; c++) {
                    double d =
                        hypot(at[2 * c] - (double)x, at[2 * c + 1] - (double)y);
                    if (d < best) {
                        best = d;
                        stack.truth[i] = c + 1;
                    }
                }
            }
    }
    return stack;
}

/* Moves everything from section z upwards by (dx, dy); what comes in is 0. */
static void
shift_from(Stack *stack, int64_t z0, int64_t dx, int64_t dy)
{
    g_autofree CxId *old = g_memdup2(stack->truth, stack->n * sizeof(CxId));
    CxVoxel n = stack->size;

    for (int64_t z = z0; z < n.z; z++)
        for (int64_t y = 0; y < n.y; y++)
            for (int64_t x = 0; x < n.x; x++) {
                bool inside =
                    x - dx >= 0 && x - dx < n.x && y - dy >= 0 && y - dy < n.y;
                int64_t i = (z * n.y + y) * n.x + x;
                stack->truth[i] = inside ? old[i - dy * n.x - dx] : 0;
            }
}

/* Segments from links by agglomeration; VOI against the truth. */
static CxScores
fuse(const Stack *stack, int64_t max_shift, guint *n_pairs)
{
    CxSectionFusionOptions options = {max_shift, 2};
    CxAgglomerateOptions merge = {.threshold = 0.5, .tree_threshold = 1};
    g_autoptr(GPtrArray) pairs =
        cx_section_fusion(stack->labels, stack->size, &options, NULL, NULL);
    g_autoptr(GArray) nodes = g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, TRUE, sizeof(CxEdge));

    g_assert_nonnull(pairs);
    *n_pairs = pairs->len;
    for (uint32_t i = 1; i <= stack->n_labels; i++) {
        CxSupervoxel one = {.id = i};
        g_array_append_val(nodes, one);
    }
    for (guint p = 0; p < pairs->len; p++) {
        const CxSectionPair *pair = g_ptr_array_index(pairs, p);
        for (guint i = 0; i < pair->links->len; i++) {
            CxSectionLink link = g_array_index(pair->links, CxSectionLink, i);
            CxEdge edge = {link.a, link.b, link.score, link.overlap};
            g_array_append_val(edges, edge);
        }
    }
    g_autoptr(GArray) segments =
        cx_agglomerate(nodes, edges, NULL, &merge, NULL, NULL, NULL);
    CxBox box = cx_box_of_size(stack->size);
    g_autoptr(CxChunk) truth = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    g_autoptr(CxChunk) test = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    CxId *t = cx_chunk_data_mut(truth), *s = cx_chunk_data_mut(test);
    for (size_t i = 0; i < stack->n; i++) {
        uint32_t label = stack->labels[i];
        t[i] = stack->truth[i];
        s[i] = label > 0 ? g_array_index(segments, CxId, label - 1) : 0;
    }
    g_autoptr(CxContingency) table = cx_contingency_new();
    cx_contingency_add(table, truth, test);
    return cx_contingency_scores(table);
}

static void
test_drawn(void)
{
    CxRng rng = cx_test_rng();
    Stack stack = draw_stack(&rng, (CxVoxel){128, 120, 12}, 40, 0.7);
    guint n_pairs;

    cut_sections(&stack);
    CxScores s = fuse(&stack, 0, &n_pairs);
    g_test_message("VOI %.3f + %.3f", s.voi_split, s.voi_merge);
    g_assert_cmpuint(n_pairs, ==, 11);
    g_assert_cmpfloat(s.voi_split + s.voi_merge, <, 0.35);
    stack_clear(&stack);
}

/* A step between two sections is found and undone. */
static void
test_shift(void)
{
    CxRng rng = cx_test_rng();
    Stack stack = draw_stack(&rng, (CxVoxel){128, 120, 8}, 40, 0.4);

    shift_from(&stack, 4, 6, -10);
    cut_sections(&stack);
    g_autoptr(CxSectionPair) pair =
        cx_section_pair_new(stack.labels, stack.size, 3, 4, 16);
    g_assert_cmpint(ABS(pair->dx - 6), <=, 2);
    g_assert_cmpint(ABS(pair->dy + 10), <=, 2);
    guint n_pairs;
    CxScores with = fuse(&stack, 16, &n_pairs);
    CxScores without = fuse(&stack, 0, &n_pairs);
    g_test_message("VOI %.3f with, %.3f without",
                   with.voi_split + with.voi_merge,
                   without.voi_split + without.voi_merge);
    g_assert_cmpfloat(with.voi_split + with.voi_merge, <, 0.3);
    g_assert_cmpfloat(without.voi_split + without.voi_merge, >, 0.5);
    stack_clear(&stack);
}

/* A black section, and one of noise, are stepped over. */
static void
test_lost(void)
{
    CxRng rng = cx_test_rng();
    Stack stack = draw_stack(&rng, (CxVoxel){128, 120, 10}, 40, 0.4);
    size_t area = 128 * 120;
    guint n_pairs;

    for (size_t i = 0; i < area; i++) {
        stack.truth[3 * area + i] = 1;
        stack.truth[7 * area + i] = 1 + i % 128 / 9 + i / 128 / 9 * 15;
    }
    cut_sections(&stack);
    for (size_t i = 0; i < area; i++)
        stack.truth[3 * area + i] = stack.truth[7 * area + i] = 0;
    CxScores s = fuse(&stack, 0, &n_pairs);
    g_test_message("VOI %.3f + %.3f", s.voi_split, s.voi_merge);
    g_assert_cmpuint(n_pairs, ==, 7);
    g_assert_cmpfloat(s.voi_split + s.voi_merge, <, 0.35);
    stack_clear(&stack);
}

/* Every fourth slice of a real isotropic block, as sections 40 nm apart. */
static void
test_real(void)
{
    g_autofree char *path = cx_test_data_path("fib-medulla/test.h5");
    g_autoptr(GError) error = NULL;

    if (path == NULL)
        return;
    g_autofree char *spec =
        g_strconcat(path, ":/volumes/labels/neuron_ids", NULL);
    g_autoptr(CxVolume) volume = cx_volume_open(spec, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(CxChunk) labels = cx_volume_read_labels(
        volume, 0, cx_volume_bounds(volume, 0), NULL, &error);
    g_assert_no_error(error);
    Stack stack = {{250, 250, 13}, 250 * 250 * 13, NULL, NULL, 0};
    const CxId *from = cx_chunk_data(labels);
    guint n_pairs;
    stack.truth = g_new(CxId, stack.n);
    for (size_t z = 0; z < 13; z++)
        memcpy(stack.truth + z * 62500, from + 4 * z * 62500,
               62500 * sizeof(CxId));
    cut_sections(&stack);
    CxScores s = fuse(&stack, 0, &n_pairs);
    g_test_message("VOI %.3f + %.3f", s.voi_split, s.voi_merge);
    g_assert_cmpfloat(s.voi_split + s.voi_merge, <, 1.2);
    stack_clear(&stack);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/section_fusion/drawn", test_drawn);
    g_test_add_func("/section_fusion/shift", test_shift);
    g_test_add_func("/section_fusion/lost", test_lost);
    g_test_add_func("/section_fusion/real", test_real);
    return g_test_run();
}
