/* Brings u8 samples to what a network was trained on.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/normalise.h"

#include "core/base/alloc.h"
#include "core/nn/layer.h"

#include <math.h>

/* Samples read at once for statistics. */
#define MAX_READ ((int64_t)1 << 24)

typedef struct {
    float mean, std;
} Statistics;

struct CxNormalise {
    bool per_section;
    Statistics fixed;
    CxVolume *volume;
    GMutex lock;          /* guards sections */
    GHashTable *sections; /* int64_t * → Statistics * */
};

CxNormalise *
cx_normalise_new(const CxNetwork *network, CxVolume *volume)
{
    CxNormalise *normalise = g_new0(CxNormalise, 1);

    normalise->per_section = network->per_section;
    normalise->fixed =
        (Statistics){(float)network->norm_mean, (float)network->norm_std};
    normalise->volume = cx_volume_ref(volume);
    g_mutex_init(&normalise->lock);
    normalise->sections =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return normalise;
}

void
cx_normalise_free(CxNormalise *normalise)
{
    if (normalise == NULL)
        return;
    cx_volume_unref(normalise->volume);
    g_hash_table_unref(normalise->sections);
    g_mutex_clear(&normalise->lock);
    g_free(normalise);
}

static bool
find(CxNormalise *normalise, int64_t z, Statistics *statistics)
{
    g_mutex_lock(&normalise->lock);
    const Statistics *known = g_hash_table_lookup(normalise->sections, &z);
    if (known != NULL)
        *statistics = *known;
    g_mutex_unlock(&normalise->lock);
    return known != NULL;
}

static void
keep(CxNormalise *normalise, int64_t z, Statistics statistics)
{
    g_mutex_lock(&normalise->lock);
    g_hash_table_replace(normalise->sections, g_memdup2(&z, sizeof z),
                         g_memdup2(&statistics, sizeof statistics));
    g_mutex_unlock(&normalise->lock);
}

static Statistics
statistics_of(const uint64_t histogram[256])
{
    uint64_t from = 1, n = 0;
    double sum = 0.0, squares = 0.0;

    for (unsigned v = 1; v < 256; v++)
        n += histogram[v];
    if (n == 0)
        from = 0, n = MAX(histogram[0], 1);
    for (uint64_t v = from; v < 256; v++) {
        sum += (double)v * (double)histogram[v];
        squares += (double)(v * v) * (double)histogram[v];
    }
    double mean = sum / (double)n;
    double variance = squares / (double)n - mean * mean;
    double std = variance > 0.0 ? sqrt(variance) : 0.0;
    return (Statistics){(float)mean, (float)MAX(std, 1.0)};
}

static int64_t
round_up(int64_t value, int64_t step)
{
    return (value + step - 1) / step * step;
}

/* Counts the samples of a chunk that lie on the grid. */
static void
count_samples(const CxChunk *chunk, int64_t z_lo, int64_t step,
              uint64_t (*histograms)[256])
{
    CxBox box = cx_chunk_box(chunk);
    const uint8_t *data = cx_chunk_channel(chunk, 0);

    for (int64_t z = box.lo.z; z < box.hi.z; z++)
        for (int64_t y = round_up(box.lo.y, step); y < box.hi.y; y += step)
            for (int64_t x = round_up(box.lo.x, step); x < box.hi.x; x += step)
                histograms[z - z_lo]
                          [data[cx_box_offset(box, (CxVoxel){x, y, z})]]++;
}

/* Reads sections [z_lo, z_hi) in pieces that follow the file's chunks. */
static bool
count_sections(CxNormalise *normalise, int64_t z_lo, int64_t z_hi,
               uint64_t (*histograms)[256], CxJob *job, GError **error)
{
    CxLevel level = cx_volume_level(normalise->volume, 0);
    int64_t step = MAX(1, MIN(level.size.x, level.size.y) / 256);
    CxVoxel piece = {CLAMP(level.chunk_size.x, 1, level.size.x),
                     CLAMP(level.chunk_size.y, 1, level.size.y), z_hi - z_lo};

    while (piece.x < level.size.x && piece.x * piece.y * piece.z < MAX_READ / 2)
        piece.x *= 2;
    while (piece.y < level.size.y && piece.x * piece.y * piece.z < MAX_READ / 2)
        piece.y *= 2;
    for (int64_t y = 0; y < level.size.y; y += piece.y)
        for (int64_t x = 0; x < level.size.x; x += piece.x) {
            CxBox box = {{x, y, z_lo},
                         {MIN(x + piece.x, level.size.x),
                          MIN(y + piece.y, level.size.y), z_hi}};
            g_autoptr(CxChunk) chunk =
                cx_volume_read_u8(normalise->volume, 0, box, job, error);

            if (chunk == NULL)
                return false;
            count_samples(chunk, z_lo, step, histograms);
        }
    return true;
}

bool
cx_normalise_prepare(CxNormalise *normalise, int64_t z_lo, int64_t z_hi,
                     CxJob *job, GError **error)
{
    int64_t depth = cx_volume_level(normalise->volume, 0).chunk_size.z;

    depth = CLAMP(depth, 1, 64);
    for (int64_t z = z_lo; z < z_hi && normalise->per_section;) {
        int64_t end = MIN(z_hi, (z / depth + 1) * depth);
        Statistics unused;

        if (find(normalise, z, &unused)) {
            z++;
            continue;
        }
        CX_AUTOFREE uint64_t(*histograms)[256] =
            cx_try_alloc0((size_t)(end - z), sizeof *histograms, error);
        if (histograms == NULL ||
            !count_sections(normalise, z, end, histograms, job, error))
            return false;
        for (int64_t s = z; s < end; s++)
            keep(normalise, s, statistics_of(histograms[s - z]));
        z = end;
    }
    return true;
}

void
cx_normalise_table(CxNormalise *normalise, int64_t z, float table[256])
{
    Statistics statistics = normalise->fixed;

    if (normalise->per_section && !find(normalise, z, &statistics))
        g_assert_not_reached();
    for (unsigned v = 0; v < 256; v++)
        table[v] = ((float)v - statistics.mean) / statistics.std;
}
