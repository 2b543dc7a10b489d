/* Live prediction without a network: order, cancellation, tiles, what is
 * predicted ahead, budget, failure.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/prediction_queue.h"
#include "core/base/error.h"
#include "tests/support/check.h"

#include <stdatomic.h>
#include <string.h>

#define WAIT_S 60

/* A network whose output is known, and which waits if it is told to. */
typedef struct {
    GMutex lock; /* guards all */
    GCond news;
    GArray *boxes;  /* of CxBox: runs that ended well, in order */
    bool is_closed; /* runs wait until they are cancelled or it opens */
    unsigned n_waiting, n_left;
    unsigned n_arrivals;
    const char *failure;
} Fake;

static uint8_t
sample(CxVoxel v, unsigned axis, unsigned channel)
{
    return (uint8_t)(v.x * 3 + v.y * 5 + v.z * 7 + axis * 11 + channel * 13);
}

static CxChunk *
draw(CxBox box, unsigned axis)
{
    CxChunk *chunk = cx_chunk_new(CX_DTYPE_U8, box, 2, NULL);
    uint8_t *to = cx_chunk_data_mut(chunk);

    for (unsigned c = 0; c < 2; c++)
        for (int64_t z = box.lo.z; z < box.hi.z; z++)
            for (int64_t y = box.lo.y; y < box.hi.y; y++)
                for (int64_t x = box.lo.x; x < box.hi.x; x++)
                    *to++ = sample((CxVoxel){x, y, z}, axis, c);
    return chunk;
}

/* With the lock held: false if the run was left meanwhile. */
static bool
wait_at_gate(Fake *fake, CxJob *job, GError **error)
{
    bool ok = true;

    fake->n_waiting++;
    g_cond_broadcast(&fake->news);
    while (fake->is_closed && ok) {
        g_cond_wait_until(&fake->news, &fake->lock,
                          g_get_monotonic_time() + 1000);
        ok = cx_job_check(job, error);
    }
    fake->n_waiting--;
    fake->n_left += !ok;
    g_cond_broadcast(&fake->news);
    return ok;
}

static CxChunk *
run_fake(void *data, CxBox box, unsigned axis, CxJob *job, GError **error)
{
    Fake *fake = data;

    g_mutex_lock(&fake->lock);
    bool ok = wait_at_gate(fake, job, error);
    if (ok && fake->failure != NULL) {
        g_set_error_literal(error, CX_ERROR, CX_ERROR_IO, fake->failure);
        ok = false;
    }
    if (ok)
        g_array_append_val(fake->boxes, box);
    g_mutex_unlock(&fake->lock);
    return ok ? draw(box, axis) : NULL;
}

static void
on_arrival(void *data)
{
    Fake *fake = data;

    g_mutex_lock(&fake->lock);
    fake->n_arrivals++;
    g_cond_broadcast(&fake->news);
    g_mutex_unlock(&fake->lock);
}

typedef struct {
    Fake fake;
    CxuiPredictionQueue *queue;
    CxVoxel size;
} Fixture;

static void
set_engine(Fixture *f)
{
    CxuiPredictionEngine engine = {run_fake, &f->fake, NULL, f->size, 2, 1};

    cxui_prediction_queue_set_engine(f->queue, &engine);
}

static void
set_up_with(Fixture *f, CxVoxel size, unsigned n_threads, size_t budget_bytes)
{
    memset(f, 0, sizeof *f);
    g_mutex_init(&f->fake.lock);
    g_cond_init(&f->fake.news);
    f->fake.boxes = g_array_new(FALSE, FALSE, sizeof(CxBox));
    f->size = size;
    f->queue = cxui_prediction_queue_new(n_threads, budget_bytes, on_arrival,
                                         &f->fake);
    set_engine(f);
}

static void
tear_down(Fixture *f)
{
    cxui_prediction_queue_free(f->queue);
    g_array_unref(f->fake.boxes);
    g_mutex_clear(&f->fake.lock);
    g_cond_clear(&f->fake.news);
}

static void
set_gate(Fixture *f, bool is_closed)
{
    g_mutex_lock(&f->fake.lock);
    f->fake.is_closed = is_closed;
    g_cond_broadcast(&f->fake.news);
    g_mutex_unlock(&f->fake.lock);
}

static unsigned
n_boxes(Fixture *f)
{
    g_mutex_lock(&f->fake.lock);
    unsigned n = f->fake.boxes->len;
    g_mutex_unlock(&f->fake.lock);
    return n;
}

static CxBox
nth_box(Fixture *f, unsigned i)
{
    g_mutex_lock(&f->fake.lock);
    CxBox box = g_array_index(f->fake.boxes, CxBox, i);
    g_mutex_unlock(&f->fake.lock);
    return box;
}

/* Until a fake has so many runs waiting or left. */
static void
wait_for(Fixture *f, const unsigned *figure, unsigned at_least)
{
    int64_t end_us = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;

    g_mutex_lock(&f->fake.lock);
    while (*figure < at_least)
        g_assert_true(g_cond_wait_until(&f->fake.news, &f->fake.lock, end_us));
    g_mutex_unlock(&f->fake.lock);
}

/* Until nothing is wanted and no thread works. */
static void
wait_until_idle(Fixture *f)
{
    int64_t end_us = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
    unsigned n_calm = 0;

    while (n_calm < 10) {
        CxuiPredictionStats stats = cxui_prediction_queue_stats(f->queue);
        bool calm = stats.n_missing == 0 && stats.n_running == 0;

        n_calm = calm ? n_calm + 1 : 0;
        g_assert_cmpint(g_get_monotonic_time(), <, end_us);
        g_usleep(1000);
    }
}

static bool
want(Fixture *f, unsigned axis, CxBox box, CxVoxel focus, int n_ahead)
{
    CxuiPredictionField field = {box, focus, n_ahead, true};

    return cxui_prediction_queue_want(f->queue, axis, &field);
}

static void
expect_samples(const CxChunk *chunk, unsigned axis)
{
    g_autoptr(CxChunk) wanted = draw(cx_chunk_box(chunk), axis);

    g_assert_cmpmem(cx_chunk_data(chunk), cx_chunk_size_bytes(chunk),
                    cx_chunk_data(wanted), cx_chunk_size_bytes(wanted));
}

/* All tiles of a box are there and hold what they should. */
static void
expect_tiles(Fixture *f, unsigned axis, CxBox box)
{
    CxVoxel tile = cxui_prediction_queue_tile(f->queue, axis);
    CxBox tiles = cx_box_chunks(box, tile);

    for (int64_t z = tiles.lo.z; z < tiles.hi.z; z++)
        for (int64_t y = tiles.lo.y; y < tiles.hi.y; y++)
            for (int64_t x = tiles.lo.x; x < tiles.hi.x; x++) {
                CxChunkIdx idx = {x, y, z};
                g_autoptr(CxChunk) chunk =
                    cxui_prediction_queue_lookup(f->queue, axis, idx);

                g_assert_nonnull(chunk);
                g_assert_true(cx_box_equal(
                    cx_chunk_box(chunk),
                    cx_chunk_box_clipped(idx, tile, cx_box_of_size(f->size))));
                expect_samples(chunk, axis);
            }
}

static double
distance(CxBox box, CxVoxel at)
{
    double x = (double)(box.lo.x + box.hi.x) / 2 - (double)at.x;
    double y = (double)(box.lo.y + box.hi.y) / 2 - (double)at.y;

    return x * x + y * y;
}

static void
test_nearest_first(void)
{
    Fixture f;
    CxBox section = {{0, 0, 3}, {1536, 1024, 4}};
    CxVoxel focus = {1200, 300, 3};

    set_up_with(&f, (CxVoxel){1536, 1024, 5}, 1, (size_t)1 << 28);
    g_assert_true(want(&f, 2, section, focus, 0));
    wait_until_idle(&f);
    expect_tiles(&f, 2, section);
    g_assert_cmpuint(n_boxes(&f), ==, 12); /* of 512 × 256 */
    for (unsigned i = 1; i < n_boxes(&f); i++)
        g_assert_cmpfloat(distance(nth_box(&f, i - 1), focus), <=,
                          distance(nth_box(&f, i), focus));
    tear_down(&f);
}

static void
test_leaving_cancels(void)
{
    Fixture f;
    CxBox here = {{0, 0, 0}, {1024, 512, 1}},
          there = {{0, 0, 4}, {1024, 512, 5}};

    set_up_with(&f, (CxVoxel){1024, 512, 5}, 2, (size_t)1 << 28);
    set_gate(&f, true);
    want(&f, 2, here, here.lo, 0);
    wait_for(&f, &f.fake.n_waiting, 2);
    int64_t start_us = g_get_monotonic_time();
    want(&f, 2, there, there.lo, 0);
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 100000);
    wait_for(&f, &f.fake.n_left, 2);
    int64_t spent_us = g_get_monotonic_time() - start_us;
    g_test_message("left after %" G_GINT64_FORMAT " µs", spent_us);
    g_assert_cmpint(spent_us, <, 200000);
    set_gate(&f, false);
    wait_until_idle(&f);
    expect_tiles(&f, 2, there);
    g_assert_null(
        cxui_prediction_queue_lookup(f.queue, 2, (CxChunkIdx){0, 0, 0}));
    g_assert_cmpuint(cxui_prediction_queue_stats(f.queue).n_cancelled, ==, 2);
    tear_down(&f);
}

/* A pan leaves what is still seen alone, and asks for the rest only. */
static void
test_panning_keeps(void)
{
    Fixture f;
    CxBox before = {{0, 0, 0}, {512, 256, 1}};
    CxBox after = {{128, 0, 0}, {640, 256, 1}};
    size_t n = 0;

    set_up_with(&f, (CxVoxel){1024, 256, 1}, 2, (size_t)1 << 28);
    set_gate(&f, true);
    want(&f, 2, before, before.lo, 0);
    wait_for(&f, &f.fake.n_waiting, 1);
    want(&f, 2, after, after.lo, 0);
    set_gate(&f, false);
    wait_until_idle(&f);
    g_assert_cmpuint(cxui_prediction_queue_stats(f.queue).n_cancelled, ==, 0);
    expect_tiles(&f, 2, after);
    for (unsigned i = 0; i < n_boxes(&f); i++) {
        size_t more = 0;

        cx_box_n_voxels(nth_box(&f, i), &more);
        n += more;
    }
    g_assert_cmpuint(n, ==, 640 * 256);
    tear_down(&f);
}

static void
test_going_back_costs_nothing(void)
{
    Fixture f;
    CxBox a = {{100, 50, 0}, {400, 300, 1}}, b = {{100, 50, 1}, {400, 300, 2}};

    set_up_with(&f, (CxVoxel){700, 500, 3}, 2, (size_t)1 << 28);
    want(&f, 2, a, a.lo, 0);
    wait_until_idle(&f);
    want(&f, 2, b, b.lo, 0);
    wait_until_idle(&f);
    unsigned n = n_boxes(&f);
    want(&f, 2, a, a.lo, 0);
    g_assert_cmpuint(cxui_prediction_queue_n_missing(f.queue, 2), ==, 0);
    wait_until_idle(&f);
    g_assert_cmpuint(n_boxes(&f), ==, n);

    set_engine(&f); /* another network: nothing of the old one is left */
    g_assert_null(
        cxui_prediction_queue_lookup(f.queue, 2, (CxChunkIdx){0, 0, 0}));
    tear_down(&f);
}

static void
test_ahead_in_idle_time(void)
{
    Fixture f;
    CxBox box = {{0, 0, 5}, {256, 256, 6}};

    set_up_with(&f, (CxVoxel){256, 256, 8}, 1, (size_t)1 << 28);
    want(&f, 2, box, box.lo, 2);
    wait_until_idle(&f);
    g_assert_cmpuint(n_boxes(&f), ==, 3);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmpint(nth_box(&f, i).lo.z, ==, 5 + i);
    box.lo.z = 1, box.hi.z = 2;
    want(&f, 2, box, box.lo, -2); /* there is no section -1 */
    wait_until_idle(&f);
    g_assert_cmpuint(n_boxes(&f), ==, 5);
    g_assert_cmpint(nth_box(&f, 4).lo.z, ==, 0);

    /* what is ahead gives way to what is seen, */
    set_gate(&f, true);
    box.lo.z = 3, box.hi.z = 4;
    want(&f, 2, box, box.lo, 1);
    wait_for(&f, &f.fake.n_waiting, 1);
    set_gate(&f, false);
    wait_until_idle(&f);
    set_gate(&f, true);
    want(&f, 2, box, box.lo, -1);
    wait_for(&f, &f.fake.n_waiting, 1); /* section 2 */
    want(&f, 1, (CxBox){{0, 9, 0}, {256, 10, 8}}, (CxVoxel){0, 9, 0}, 0);
    wait_for(&f, &f.fake.n_left, 1);

    /* and goes on when it becomes what is seen. */
    set_gate(&f, false);
    wait_until_idle(&f);
    g_assert_cmpuint(cxui_prediction_queue_stats(f.queue).n_cancelled, ==, 1);
    expect_tiles(&f, 2, (CxBox){{0, 0, 2}, {256, 256, 4}});
    expect_tiles(&f, 1, (CxBox){{0, 9, 0}, {256, 10, 8}});
    tear_down(&f);
}

/* A field larger than the cache ends, and keeps its middle. */
static void
test_budget(void)
{
    Fixture f;
    CxBox box = {{0, 0, 0}, {4096, 4096, 1}};
    CxVoxel focus = {2000, 2000, 0};

    set_up_with(&f, (CxVoxel){4096, 4096, 4096}, 2, (size_t)8 << 20);
    g_assert_false(want(&f, 2, box, focus, 2));
    wait_until_idle(&f);
    expect_tiles(&f, 2, (CxBox){{2000, 2000, 0}, {2001, 2001, 1}});
    g_assert_cmpuint(cxui_prediction_queue_stats(f.queue).used_bytes, <=,
                     (size_t)8 << 20);

    /* three panes, and what is ahead of them, are more than there is */
    want(&f, 1, (CxBox){{0, 7, 0}, {4096, 8, 4096}}, focus, 2);
    want(&f, 0, (CxBox){{7, 0, 0}, {8, 4096, 4096}}, focus, 2);
    wait_until_idle(&f);
    unsigned n = n_boxes(&f);
    wait_until_idle(&f);
    g_assert_cmpuint(n_boxes(&f), ==, n);
    for (unsigned axis = 0; axis < 3; axis++)
        g_assert_cmpuint(cxui_prediction_queue_n_missing(f.queue, axis), ==, 0);
    tear_down(&f);
}

static void
test_failure_rests(void)
{
    Fixture f;
    CxBox box = {{0, 0, 0}, {256, 256, 1}};

    set_up_with(&f, (CxVoxel){256, 256, 1}, 1, (size_t)1 << 28);
    f.fake.failure = "x.tif: page 3 is damaged";
    want(&f, 2, box, box.lo, 0);
    wait_for(&f, &f.fake.n_arrivals, 1);
    g_autoptr(GError) error = cxui_prediction_queue_take_error(f.queue);
    cx_test_expect_error(&error, CX_ERROR_IO, "page 3", NULL);
    g_assert_null(cxui_prediction_queue_take_error(f.queue));
    want(&f, 2, box, box.lo, 0);
    g_usleep(20000);
    g_assert_cmpuint(f.fake.n_arrivals, ==, 1);
    f.fake.failure = NULL;
    set_engine(&f);
    want(&f, 2, box, box.lo, 0);
    wait_until_idle(&f);
    expect_tiles(&f, 2, box);
    tear_down(&f);
}

static CxBox
random_field(CxRng *rng, CxVoxel size, unsigned axis)
{
    int64_t extent[3] = {size.x, size.y, size.z}, lo[3], hi[3];

    for (unsigned a = 0; a < 3; a++) {
        lo[a] = (int64_t)cx_rng_below(rng, (uint64_t)extent[a]);
        hi[a] = lo[a] + 1 +
                (int64_t)cx_rng_below(rng, (uint64_t)(extent[a] - lo[a]));
        if (a == axis)
            hi[a] = lo[a] + 1;
    }
    return (CxBox){{lo[0], lo[1], lo[2]}, {hi[0], hi[1], hi[2]}};
}

static void
test_random_scrolling(void)
{
    CxRng rng = cx_test_rng();
    Fixture f;
    CxBox fields[3];

    set_up_with(&f, (CxVoxel){300, 270, 140}, 3, (size_t)32 << 20);
    for (int i = 0; i < 300; i++) {
        unsigned axis = (unsigned)cx_rng_below(&rng, 3);

        if (cx_rng_below(&rng, 60) == 0)
            set_engine(&f);
        fields[axis] = random_field(&rng, f.size, axis);
        want(&f, axis, fields[axis], fields[axis].lo,
             (int)cx_rng_below(&rng, 5) - 2);
        if (cx_rng_below(&rng, 4) == 0)
            g_usleep(500);
    }
    for (unsigned axis = 0; axis < 3; axis++) {
        fields[axis] = random_field(&rng, f.size, axis);
        want(&f, axis, fields[axis], fields[axis].lo, 0);
    }
    wait_until_idle(&f);
    for (unsigned axis = 0; axis < 3; axis++)
        expect_tiles(&f, axis, fields[axis]);
    tear_down(&f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/prediction-queue/nearest_first", test_nearest_first);
    g_test_add_func("/prediction-queue/leaving_cancels", test_leaving_cancels);
    g_test_add_func("/prediction-queue/panning_keeps", test_panning_keeps);
    g_test_add_func("/prediction-queue/going_back_costs_nothing",
                    test_going_back_costs_nothing);
    g_test_add_func("/prediction-queue/ahead_in_idle_time",
                    test_ahead_in_idle_time);
    g_test_add_func("/prediction-queue/budget", test_budget);
    g_test_add_func("/prediction-queue/failure_rests", test_failure_rests);
    g_test_add_func("/prediction-queue/random_scrolling",
                    test_random_scrolling);
    return g_test_run();
}
