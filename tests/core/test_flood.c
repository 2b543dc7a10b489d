/* Growing one object: against a twin with whole arrays and plain lists; box,
 * steps, cancellation, refusals.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/nn/layer.h"
#include "core/nn/patch_infer.h"
#include "core/segmentation/flood.h"
#include "core/volume/synthetic.h"
#include "tests/support/check.h"
#include "tests/support/model.h"

#include <math.h>
#include <string.h>

enum { FX = 9, FY = 9, FZ = 7, DX = 2, DY = 2, DZ = 1 };
enum { N_FIELD = FX * FY * FZ };

typedef struct {
    CxNetwork *network;
    CxVolume *volume;
    CxChunk *image;
    CxVoxel size;
} World;

static World
make_world(CxRng *rng)
{
    World world = {.network = cx_test_random_grower(rng),
                   .size = {1 + (int64_t)cx_rng_below(rng, 90),
                            1 + (int64_t)cx_rng_below(rng, 40),
                            1 + (int64_t)cx_rng_below(rng, 12)}};

    world.image =
        cx_chunk_new(CX_DTYPE_U8, cx_box_of_size(world.size), 1, NULL);
    uint8_t *data = cx_chunk_data_mut(world.image);
    for (size_t i = 0; i < cx_chunk_n_voxels(world.image); i++)
        data[i] = (uint8_t)cx_rng_next(rng);
    world.volume = cx_volume_from_chunk(world.image, (CxNm){8.0, 8.0, 8.0},
                                        (CxNm){0.0, 0.0, 0.0}, false);
    return world;
}

static void
clear_world(World *world)
{
    cx_network_unref(world->network);
    cx_volume_unref(world->volume);
    cx_chunk_unref(world->image);
}

static CxVoxel
random_voxel(CxRng *rng, CxBox box)
{
    CxVoxel size = cx_box_size(box);

    return (CxVoxel){box.lo.x + (int64_t)cx_rng_below(rng, (uint64_t)size.x),
                     box.lo.y + (int64_t)cx_rng_below(rng, (uint64_t)size.y),
                     box.lo.z + (int64_t)cx_rng_below(rng, (uint64_t)size.z)};
}

/* ---- the twin ---- */

typedef struct {
    const World *world;
    CxPatchInfer *infer;
    CxVoxel start;
    CxBox box;
    double *mask;   /* over the volume and a field of view around it */
    GArray *queue;  /* CxVoxel */
    GArray *places; /* CxVoxel: visited cells */
    uint64_t steps;
} Twin;

static double
logit(double p)
{
    return (double)(float)log(p / (1.0 - p));
}

static double *
cell(Twin *twin, CxVoxel v)
{
    CxVoxel size = twin->world->size;

    return &twin->mask[((v.z + FZ) * (size.y + 2 * FY) + v.y + FY) *
                           (size.x + 2 * FX) +
                       v.x + FX];
}

static int64_t
mirrored(int64_t at, int64_t n)
{
    while (n > 1 && (at < 0 || at >= n))
        at = at < 0 ? -at : 2 * (n - 1) - at;
    return n > 1 ? at : 0;
}

static CxVoxel
field_voxel(CxVoxel centre, int64_t i)
{
    return (CxVoxel){centre.x + i % FX - FX / 2,
                     centre.y + i / FX % FY - FY / 2,
                     centre.z + i / FX / FY - FZ / 2};
}

static void
look(Twin *twin, CxVoxel at, double found[N_FIELD])
{
    float image[N_FIELD], mask[N_FIELD], out[N_FIELD];
    bool active = false;

    for (int64_t i = 0; i < N_FIELD; i++) {
        CxVoxel v = field_voxel(at, i), size = twin->world->size;
        CxVoxel m = {mirrored(v.x, size.x), mirrored(v.y, size.y),
                     mirrored(v.z, size.z)};

        image[i] =
            ((float)cx_chunk_label_at(twin->world->image, m) - 128.0f) / 33.0f;
        mask[i] =
            isnan(*cell(twin, v)) ? (float)logit(0.05) : (float)*cell(twin, v);
    }
    g_assert_true(cx_patch_infer_run(
        twin->infer, (const float *[]){image, mask}, out, NULL, NULL));
    for (int64_t i = 0; i < N_FIELD; i++) {
        found[i] = (double)(out[i] + mask[i]);
        active = active || found[i] >= logit(0.9);
    }
    for (int64_t i = 0; i < N_FIELD; i++) {
        double *old = cell(twin, field_voxel(at, i));

        if (active && *old < 0.0 && found[i] > *old)
            found[i] = *old;
        *old = found[i];
    }
}

static CxVoxel
cell_of(const Twin *twin, CxVoxel v)
{
    return (CxVoxel){
        (int64_t)floor((double)(v.x - twin->start.x + DX / 2) / DX),
        (int64_t)floor((double)(v.y - twin->start.y + DY / 2) / DY),
        (int64_t)floor((double)(v.z - twin->start.z + DZ / 2) / DZ)};
}

typedef struct {
    double score;
    CxVoxel at;
} Candidate;

/* Selection sort: the largest score, z, y, x first. */
static void
push_candidates(Twin *twin, Candidate *c, unsigned n)
{
    for (unsigned done = 0; done < n; done++) {
        unsigned best = n;

        for (unsigned i = 0; i < n; i++) {
            if (isnan(c[i].score))
                continue;
            if (best == n || c[i].score > c[best].score ||
                (c[i].score == c[best].score &&
                 (c[i].at.z > c[best].at.z ||
                  (c[i].at.z == c[best].at.z &&
                   (c[i].at.y > c[best].at.y ||
                    (c[i].at.y == c[best].at.y && c[i].at.x > c[best].at.x))))))
                best = i;
        }
        g_array_append_val(twin->queue, c[best].at);
        c[best].score = NAN;
    }
}

static void
push_moves(Twin *twin, CxVoxel at, const double found[N_FIELD])
{
    static const int64_t steps[3] = {DZ, DY, DX};
    Candidate candidates[6];
    unsigned n = 0;

    for (unsigned axis = 0; axis < 3; axis++)
        for (int sign = -1; sign <= 1; sign += 2) {
            Candidate best = {.score = -INFINITY};

            for (int64_t i = 0; i < N_FIELD; i++) {
                CxVoxel v = field_voxel((CxVoxel){0, 0, 0}, i);
                int64_t d[3] = {v.z, v.y, v.x};

                if (ABS(d[0]) <= DZ && ABS(d[1]) <= DY && ABS(d[2]) <= DX &&
                    d[axis] == sign * steps[axis] && found[i] > best.score)
                    best = (Candidate){found[i],
                                       {at.x + v.x, at.y + v.y, at.z + v.z}};
            }
            if (best.score >= logit(0.9))
                candidates[n++] = best;
        }
    push_candidates(twin, candidates, n);
}

static bool
was_visited(const Twin *twin, CxVoxel place)
{
    for (guint i = 0; i < twin->places->len; i++)
        if (cx_voxel_equal(g_array_index(twin->places, CxVoxel, i), place))
            return true;
    return false;
}

static void
run_twin(Twin *twin)
{
    CxVoxel size = twin->world->size;
    int64_t n = (size.x + 2 * FX) * (size.y + 2 * FY) * (size.z + 2 * FZ);
    double found[N_FIELD];

    twin->mask = g_new(double, n);
    for (int64_t i = 0; i < n; i++)
        twin->mask[i] = NAN;
    *cell(twin, twin->start) = logit(0.95);
    twin->queue = g_array_new(FALSE, FALSE, sizeof(CxVoxel));
    twin->places = g_array_new(FALSE, FALSE, sizeof(CxVoxel));
    g_array_append_val(twin->queue, twin->start);
    for (guint i = 0; i < twin->queue->len; i++) {
        CxVoxel at = g_array_index(twin->queue, CxVoxel, i);
        CxVoxel place = cell_of(twin, at);

        if (was_visited(twin, place) || !cx_box_contains(twin->box, at) ||
            !(*cell(twin, at) >= logit(0.9)))
            continue;
        if (*cell(twin, twin->start) < logit(0.9))
            break;
        look(twin, at, found);
        g_array_append_val(twin->places, place);
        push_moves(twin, at, found);
        twin->steps++;
    }
}

static void
clear_twin(Twin *twin)
{
    cx_patch_infer_free(twin->infer);
    g_free(twin->mask);
    g_array_unref(twin->queue);
    g_array_unref(twin->places);
}

static void
expect_equal(Twin *twin, CxFlood *flood)
{
    CxFloodState state = cx_flood_state(flood);
    CxBox whole = cx_box_of_size(twin->world->size);
    g_autoptr(CxChunk) found = cx_flood_read(flood, whole, NULL);
    const uint8_t *inside = cx_chunk_channel(found, 0);
    uint64_t n_voxels = 0;

    g_assert_cmpuint(state.steps, ==, twin->steps);
    for (int64_t z = 0; z < whole.hi.z; z++)
        for (int64_t y = 0; y < whole.hi.y; y++)
            for (int64_t x = 0; x < whole.hi.x; x++) {
                CxVoxel v = {x, y, z};
                bool wanted = cx_box_contains(twin->box, v) &&
                              *cell(twin, v) >= logit(0.25);

                g_assert_cmpint(*inside++, ==, wanted);
                n_voxels += wanted;
                g_assert_true(!wanted || cx_box_contains(state.box, v));
            }
    g_assert_cmpuint(state.n_voxels, ==, n_voxels);
}

/* The fixture's threshold of the object is 0.25 once it has been in a file. */
static CxNetwork *
through_file(CxNetwork *network)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "grower.h5", NULL);
    g_autoptr(GError) error = NULL;

    cx_test_save_network(network, path);
    CxNetwork *read = cx_network_load(path, &error);
    g_assert_no_error(error);
    cx_test_remove_dir(dir);
    return read;
}

static void
test_twin(void)
{
    CxRng rng = cx_test_rng();
    uint64_t n_steps = 0, most = 0;

    for (unsigned round = 0; round < 40; round++) {
        World world = make_world(&rng);
        g_autoptr(CxNetwork) network = through_file(world.network);
        CxPatchOptions patch = {.n_threads = 1};
        CxBox box = cx_box_of_size(world.size);
        g_autoptr(GError) error = NULL;

        if (round % 3 == 2) {
            box.lo = random_voxel(&rng, box);
            box.hi.x -= (box.hi.x - box.lo.x) / 4;
        }
        Twin twin = {
            .world = &world, .box = box, .start = random_voxel(&rng, box)};
        twin.infer =
            cx_patch_infer_new(network, (CxVoxel){FX, FY, FZ}, &patch, &error);
        g_assert_no_error(error);
        run_twin(&twin);
        CxFloodOptions options = {
            .box = box, .n_threads = 1 + round % 2, .type = "fp32"};
        g_autoptr(CxFlood) flood =
            cx_flood_new(network, world.volume, &options, &error);
        g_assert_no_error(error);
        g_assert_true(cx_flood_grow(flood, twin.start, NULL, &error));
        expect_equal(&twin, flood);
        n_steps += twin.steps;
        most = MAX(most, twin.steps);
        clear_twin(&twin);
        clear_world(&world);
    }
    g_test_message("%" G_GUINT64_FORMAT " steps, at most %" G_GUINT64_FORMAT,
                   n_steps, most);
    g_assert_cmpuint(n_steps, >, 40);
}

/* ---- a network that says yes to all that is bright ---- */

static void
append_parameter(CxNetwork *network, const char *name, double number)
{
    CxNetworkParameter *parameter = g_new0(CxNetworkParameter, 1);

    parameter->name = g_strdup(name);
    parameter->number = number;
    g_ptr_array_insert(network->parameters, 0, parameter);
}

/* A bright bar along x in the dark. */
static CxVolume *
bar(void)
{
    CxBox box = cx_box_of_size((CxVoxel){120, 40, 30});
    g_autoptr(CxChunk) image = cx_chunk_new(CX_DTYPE_U8, box, 1, NULL);
    uint8_t *data = cx_chunk_data_mut(image);

    for (int64_t z = 0; z < 30; z++)
        for (int64_t y = 0; y < 40; y++)
            for (int64_t x = 0; x < 120; x++)
                *data++ = ABS(y - 20) < 4 && ABS(z - 15) < 4 ? 200 : 20;
    return cx_volume_from_chunk(image, (CxNm){8.0, 8.0, 8.0},
                                (CxNm){0.0, 0.0, 0.0}, false);
}

typedef struct {
    CxFlood *flood;
    CxJob *job; /* cancelled after 5 steps, or NULL */
    uint64_t n_calls, last;
} Watch;

static void
watch(void *data, const CxFloodState *state)
{
    Watch *w = data;
    g_autoptr(CxChunk) part = cx_flood_read(w->flood, state->box, NULL);
    const uint8_t *inside = cx_chunk_channel(part, 0);
    uint64_t n = 0;

    for (size_t i = 0; i < cx_chunk_n_voxels(part); i++)
        n += inside[i];
    g_assert_cmpuint(n, ==, state->n_voxels);
    g_assert_cmpuint(state->steps, ==, ++w->n_calls);
    g_assert_true(cx_box_contains_box(state->box, state->changed));
    w->last = state->n_voxels;
    if (w->job != NULL && state->steps == 5)
        cx_job_cancel(w->job);
}

static CxFlood *
watched(CxNetwork *network, CxVolume *volume, Watch *w, CxFloodOptions options)
{
    g_autoptr(GError) error = NULL;

    options.hook = watch;
    options.hook_data = w;
    options.n_threads = 1;
    w->flood = cx_flood_new(network, volume, &options, &error);
    g_assert_no_error(error);
    return w->flood;
}

static void
test_bar(void)
{
    g_autoptr(CxNetwork) network = cx_test_bright_grower();
    g_autoptr(CxVolume) volume = bar();
    Watch w = {0};
    g_autoptr(CxFlood) flood =
        watched(network, volume, &w, (CxFloodOptions){0});

    g_assert_true(cx_flood_grow(flood, (CxVoxel){3, 20, 15}, NULL, NULL));
    CxFloodState state = cx_flood_state(flood);
    /* A field of view that has drifted to a corner misses the one opposite. */
    g_assert_cmpuint(state.n_voxels, >=, 120 * 7 * 7 * 98 / 100);
    g_assert_cmpuint(state.n_voxels, <=, 120 * 7 * 7);
    g_assert_false(state.cut || state.faded);
    g_assert_cmpuint(w.n_calls, ==, state.steps);
    /* Once more, and it is the same. */
    w.n_calls = 0;
    g_assert_true(cx_flood_grow(flood, (CxVoxel){3, 20, 15}, NULL, NULL));
    g_assert_cmpuint(cx_flood_state(flood).steps, ==, state.steps);
}

static void
test_overlaps(void)
{
    CxRng rng = cx_test_rng();
    CxBox box = cx_box_of_size((CxVoxel){120, 40, 30});
    g_autoptr(CxNetwork) network = cx_test_bright_grower();
    g_autoptr(CxVolume) volume = bar();
    g_autoptr(CxFlood) flood = cx_flood_new(network, volume, NULL, NULL);
    g_autoptr(CxChunk) ids = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    CxId *id = cx_chunk_data_mut(ids);
    uint64_t counts[10] = {0};

    for (size_t i = 0; i < cx_chunk_n_voxels(ids); i++)
        id[i] = cx_rng_below(&rng, 10);
    g_autoptr(CxVolume) labels = cx_volume_from_chunk(
        ids, (CxNm){8.0, 8.0, 8.0}, (CxNm){0.0, 0.0, 0.0}, true);
    g_assert_true(cx_flood_grow(flood, (CxVoxel){3, 20, 15}, NULL, NULL));
    g_autoptr(CxChunk) found = cx_flood_read(flood, box, NULL);
    const uint8_t *inside = cx_chunk_channel(found, 0);
    for (size_t i = 0; i < cx_chunk_n_voxels(ids); i++)
        counts[id[i]] += inside[i];
    g_autoptr(GArray) overlaps = cx_flood_overlaps(flood, labels, NULL, NULL);
    g_assert_cmpuint(overlaps->len, ==, 9);
    for (guint i = 0; i < 9; i++) {
        CxFloodOverlap overlap = g_array_index(overlaps, CxFloodOverlap, i);

        g_assert_cmpuint(overlap.id, ==, i + 1);
        g_assert_cmpuint(overlap.n_inside, ==, counts[i + 1]);
    }
}

static void
test_box_and_steps(void)
{
    g_autoptr(CxNetwork) network = cx_test_bright_grower();
    g_autoptr(CxVolume) volume = bar();
    Watch w = {0};
    CxFloodOptions boxed = {.box = {{10, 0, 0}, {50, 20, 30}}};
    g_autoptr(CxFlood) flood = watched(network, volume, &w, boxed);

    g_assert_true(cx_flood_grow(flood, (CxVoxel){20, 19, 15}, NULL, NULL));
    g_assert_cmpuint(w.last, >=, 40 * 3 * 7 * 9 / 10);
    g_assert_cmpuint(w.last, <=, 40 * 3 * 7);

    Watch few = {0};
    g_autoptr(CxFlood) short_flood =
        watched(network, volume, &few, (CxFloodOptions){.max_steps = 4});
    g_assert_true(
        cx_flood_grow(short_flood, (CxVoxel){60, 20, 15}, NULL, NULL));
    g_assert_cmpuint(few.n_calls, ==, 4);
    g_assert_true(cx_flood_state(short_flood).cut);
}

static void
test_cancelled(void)
{
    g_autoptr(CxNetwork) network = cx_test_bright_grower();
    g_autoptr(CxVolume) volume = bar();
    g_autoptr(CxJob) job = cx_job_new("test");
    g_autoptr(GError) error = NULL;
    Watch w = {.job = job};
    g_autoptr(CxFlood) flood =
        watched(network, volume, &w, (CxFloodOptions){0});

    g_assert_false(cx_flood_grow(flood, (CxVoxel){60, 20, 15}, job, &error));
    g_assert_cmpint(error->code, ==, CX_ERROR_CANCELLED);
    g_assert_cmpuint(w.n_calls, ==, 5);
    g_assert_cmpuint(cx_flood_state(flood).n_voxels, ==, w.last);
}

static void
test_dark_start(void)
{
    g_autoptr(CxNetwork) network = cx_test_bright_grower();
    g_autoptr(CxVolume) volume = bar();
    Watch w = {0};
    g_autoptr(CxFlood) flood =
        watched(network, volume, &w, (CxFloodOptions){0});

    g_assert_true(cx_flood_grow(flood, (CxVoxel){3, 2, 2}, NULL, NULL));
    g_assert_cmpuint(cx_flood_state(flood).n_voxels, ==, 0);
    g_assert_cmpuint(cx_flood_state(flood).steps, ==, 1);
}

static void
expect_refused(const char *name, double value)
{
    g_autoptr(CxNetwork) network = cx_test_bright_grower();
    g_autoptr(CxVolume) volume = bar();
    g_autoptr(GError) error = NULL;

    append_parameter(network, name, value);
    g_assert_null(cx_flood_new(network, volume, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "bright", name, "expected",
                         NULL);
}

static void
test_refusals(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxNetwork) unet = cx_test_random_network(&rng, 3);
    g_autoptr(CxNetwork) network = cx_test_bright_grower();
    g_autoptr(CxVolume) volume = bar();
    g_autoptr(GError) error = NULL;
    CxFloodOptions outside = {.box = {{0, 0, 0}, {121, 40, 30}}};

    g_assert_null(cx_flood_new(unet, volume, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "random", "seed", NULL);
    g_assert_null(cx_flood_new(network, volume, &outside, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "outside", NULL);
    g_autoptr(CxFlood) flood = cx_flood_new(network, volume, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(cx_flood_grow(flood, (CxVoxel){120, 0, 0}, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "120,0,0", "outside", NULL);
    expect_refused("fov_x", 8.0);
    expect_refused("fov_y", 1001.0);
    expect_refused("fov_z", NAN);
    expect_refused("delta_x", 5.0);
    expect_refused("delta_y", 0.5);
    expect_refused("seed", 1.0);
    expect_refused("threshold", -1.0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/flood/twin", test_twin);
    g_test_add_func("/flood/bar", test_bar);
    g_test_add_func("/flood/overlaps", test_overlaps);
    g_test_add_func("/flood/box-and-steps", test_box_and_steps);
    g_test_add_func("/flood/cancelled", test_cancelled);
    g_test_add_func("/flood/dark-start", test_dark_start);
    g_test_add_func("/flood/refusals", test_refusals);
    return g_test_run();
}
