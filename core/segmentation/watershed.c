/* Seeded watershed with a queue of 256 buckets.
 *
 * Voxels lie in tiles of 4 x 4 x 4, so that the six neighbours of a voxel are
 * mostly in the same cache line: a front that moves through the volume then
 * touches little memory.  A wall one voxel thick surrounds the block, so that
 * no neighbour needs a bounds check.  One byte a voxel holds its height until
 * it is reached.  Every voxel is queued once: it gets its label when it is
 * first reached.  Buckets are lists of blocks of indices from one pool.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/watershed.h"

#include "core/base/alloc.h"
#include "core/base/error.h"

#include <string.h>

#define REACHED 255 /* heights end at 254 */
#define N_LEVELS 255
#define BLOCK 1022 /* indices a block: 4 KiB with its header */
#define NO_BLOCK UINT32_MAX

typedef struct {
    uint32_t next; /* block of the same bucket, or of the free list */
    uint32_t n;
    uint32_t at[BLOCK];
} Block;

typedef struct {
    uint32_t head, tail; /* blocks */
    uint32_t n_read;     /* of the head block */
} Bucket;

typedef struct {
    Block *blocks;
    uint32_t n_blocks, free_list;
    Bucket buckets[N_LEVELS];
    unsigned lowest; /* no bucket below this holds anything */
} Queue;

/* Every voxel enters once and a block is freed when it has been read, so full
 * blocks and two more a bucket are enough.  Untouched blocks cost no memory. */
static bool
queue_init(Queue *queue, size_t n_voxels, GError **error)
{
    size_t n_blocks = n_voxels / BLOCK + 2 * N_LEVELS + 2;

    queue->blocks = cx_try_alloc(n_blocks, sizeof(Block), error);
    queue->n_blocks = 0;
    queue->free_list = NO_BLOCK;
    queue->lowest = N_LEVELS;
    for (unsigned i = 0; i < N_LEVELS; i++)
        queue->buckets[i] = (Bucket){NO_BLOCK, NO_BLOCK, 0};
    return queue->blocks != NULL;
}

static uint32_t
take_block(Queue *queue)
{
    uint32_t block = queue->free_list;

    if (block != NO_BLOCK)
        queue->free_list = queue->blocks[block].next;
    else
        block = queue->n_blocks++;
    queue->blocks[block].next = NO_BLOCK;
    queue->blocks[block].n = 0;
    return block;
}

static inline void
push(Queue *queue, unsigned level, uint32_t voxel)
{
    Bucket *bucket = &queue->buckets[level];

    if (bucket->tail == NO_BLOCK || queue->blocks[bucket->tail].n == BLOCK) {
        uint32_t block = take_block(queue);
        if (bucket->tail == NO_BLOCK)
            bucket->head = block;
        else
            queue->blocks[bucket->tail].next = block;
        bucket->tail = block;
    }
    Block *tail = &queue->blocks[bucket->tail];
    tail->at[tail->n++] = voxel;
    if (level < queue->lowest)
        queue->lowest = level;
}

/* The first of the lowest bucket; false when all are empty. */
static inline bool
pop(Queue *queue, uint32_t *voxel)
{
    while (queue->lowest < N_LEVELS) {
        Bucket *bucket = &queue->buckets[queue->lowest];
        if (bucket->head == NO_BLOCK) {
            queue->lowest++;
            continue;
        }
        Block *head = &queue->blocks[bucket->head];
        if (bucket->n_read < head->n) {
            *voxel = head->at[bucket->n_read++];
            return true;
        }
        uint32_t read = bucket->head;
        bucket->head = head->next;
        bucket->n_read = 0;
        if (bucket->head == NO_BLOCK)
            bucket->tail = NO_BLOCK;
        head->next = queue->free_list;
        queue->free_list = read;
    }
    return false;
}

/* --- tiles ------------------------------------------------------------------ */

typedef struct {
    CxVoxel size;
    int64_t tiles_x, tiles_y, tiles_z;
    size_t n;             /* voxels in tiles, walls and padding among them */
    uint32_t *labels;     /* by tile */
    uint8_t *heights;     /* by tile; REACHED: labelled or wall */
    int32_t steps[64][6]; /* to the six neighbours, by place in a tile */
} Field;

/* The block begins at the second tile along each axis: the first is wall. */
static inline size_t
tile_row(const Field *field, int64_t y, int64_t z)
{
    int64_t tile = (z / 4 + 1) * field->tiles_y + y / 4 + 1;

    return (size_t)((tile * field->tiles_x + 1) * 64 + z % 4 * 16 + y % 4 * 4);
}

static void
fill_steps(Field *field)
{
    int64_t by_tile[3] = {64, 64 * field->tiles_x,
                          64 * field->tiles_x * field->tiles_y};
    static const int axes[6] = {2, 1, 0, 0, 1, 2};
    static const int inner[3] = {1, 4, 16};

    for (int place = 0; place < 64; place++) {
        int at[3] = {place % 4, place / 4 % 4, place / 16};
        for (int k = 0; k < 6; k++) {
            int axis = axes[k], sign = k < 3 ? -1 : 1;
            bool leaves = at[axis] + sign < 0 || at[axis] + sign > 3;
            int64_t step = sign * inner[axis];

            if (leaves)
                step = sign * (by_tile[axis] - 3 * inner[axis]);
            field->steps[place][k] = (int32_t)step;
        }
    }
}

static void
field_clear(Field *field)
{
    cx_free(field->labels);
    cx_free(field->heights);
}

/* Four voxels of a row lie together; those beyond its end are wall. */
static void
fill_row(Field *field, size_t row, const uint8_t *relief,
         const uint32_t *labels)
{
    int64_t n = field->size.x;

    for (int64_t x = 0; x < n; x += 4) {
        uint32_t *to = field->labels + row + (size_t)x * 16;
        uint8_t *height = field->heights + row + (size_t)x * 16;
        int64_t m = MIN(4, n - x);

        for (int64_t k = 0; k < m; k++) {
            uint8_t free_height = MIN(relief[x + k], REACHED - 1);
            to[k] = labels[x + k];
            height[k] = labels[x + k] != 0 ? REACHED : free_height;
        }
    }
}

static void
field_fill(Field *field, const uint8_t *relief, const uint32_t *labels)
{
    CxVoxel size = field->size;

    memset(field->heights, REACHED, field->n);
    for (int64_t z = 0; z < size.z; z++) {
        for (int64_t y = 0; y < size.y; y++) {
            int64_t from = (z * size.y + y) * size.x;
            fill_row(field, tile_row(field, y, z), relief + from,
                     labels + from);
        }
    }
}

static bool
field_init(Field *field, const uint8_t *relief, const uint32_t *labels,
           CxVoxel size, GError **error)
{
    *field = (Field){.size = size,
                     .tiles_x = (size.x + 3) / 4 + 2,
                     .tiles_y = (size.y + 3) / 4 + 2,
                     .tiles_z = (size.z + 3) / 4 + 2};
    CxBox tiles = cx_box_of_size(
        (CxVoxel){4 * field->tiles_x, 4 * field->tiles_y, 4 * field->tiles_z});

    if (!cx_box_n_voxels(tiles, &field->n) || field->n > INT32_MAX) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "a watershed over %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                    " x %" G_GINT64_FORMAT " voxels is too large for one piece",
                    size.x, size.y, size.z);
        return false;
    }
    field->labels = cx_try_alloc(field->n, sizeof(uint32_t), error);
    if (field->labels == NULL)
        return false;
    field->heights = cx_try_alloc(field->n, 1, error);
    if (field->heights == NULL) {
        field_clear(field);
        return false;
    }
    fill_steps(field);
    field_fill(field, relief, labels);
    return true;
}

static void
copy_labels(const Field *field, uint32_t *labels)
{
    CxVoxel size = field->size;

    for (int64_t z = 0; z < size.z; z++) {
        for (int64_t y = 0; y < size.y; y++) {
            const uint32_t *row = field->labels + tile_row(field, y, z);
            uint32_t *to = labels + (z * size.y + y) * size.x;

            for (int64_t x = 0; x < size.x; x += 4)
                memcpy(to + x, row + x * 16,
                       (size_t)MIN(4, size.x - x) * sizeof(uint32_t));
        }
    }
}

/* --- flood ------------------------------------------------------------------ */

static void
or_free(uint8_t *flags, const uint32_t *labels, int64_t n)
{
    for (int64_t x = 0; x < n; x++)
        flags[x] |= labels[x] == 0;
}

/* flags[x] = 1 where the label at x has a free neighbour. */
static void
flag_row(const Field *field, const uint32_t *row, int64_t y, int64_t z,
         uint8_t *flags)
{
    CxVoxel n = field->size;
    int64_t plane = n.x * n.y;

    memset(flags, 0, (size_t)n.x);
    or_free(flags + 1, row, n.x - 1);
    or_free(flags, row + 1, n.x - 1);
    if (y > 0)
        or_free(flags, row - n.x, n.x);
    if (y + 1 < n.y)
        or_free(flags, row + n.x, n.x);
    if (z > 0)
        or_free(flags, row - plane, n.x);
    if (z + 1 < n.z)
        or_free(flags, row + plane, n.x);
    for (int64_t x = 0; x < n.x; x++)
        flags[x] &= row[x] != 0 && row[x] != CX_WATERSHED_WALL;
}

/* Queues every labelled voxel with a free neighbour, in order of voxel. */
static void
push_seeds(const Field *field, const uint8_t *relief, const uint32_t *labels,
           Queue *queue)
{
    CxVoxel size = field->size;
    g_autofree uint8_t *flags = g_malloc((size_t)size.x + 1);

    for (int64_t z = 0; z < size.z; z++) {
        for (int64_t y = 0; y < size.y; y++) {
            size_t row = tile_row(field, y, z);
            int64_t from = (z * size.y + y) * size.x;

            flag_row(field, labels + from, y, z, flags);
            for (int64_t x = 0; x < size.x; x++) {
                if (flags[x] != 0)
                    push(queue, MIN(relief[from + x], REACHED - 1),
                         (uint32_t)(row + (size_t)(x / 4 * 64 + x % 4)));
            }
        }
    }
}

static bool
flood(Field *field, Queue *queue, CxJob *job, GError **error)
{
    uint32_t at;

    for (uint64_t n_done = 0; pop(queue, &at); n_done++) {
        const int32_t *steps = field->steps[at & 63];
        uint32_t label = field->labels[at];

        for (int k = 0; k < 6; k++) {
            size_t to = at + (size_t)steps[k];
            uint8_t height = field->heights[to];
            if (height == REACHED)
                continue;
            field->heights[to] = REACHED;
            field->labels[to] = label;
            push(queue, height, (uint32_t)to);
        }
        if ((n_done & 0x3ffff) == 0 &&
            !cx_job_step(job, n_done, field->n, error))
            return false;
    }
    return true;
}

bool
cx_watershed_flood(const uint8_t *relief, CxVoxel size, uint32_t *labels,
                   CxJob *job, GError **error)
{
    Field field;
    Queue queue;

    if (!field_init(&field, relief, labels, size, error))
        return false;
    bool ok = queue_init(&queue, field.n, error);
    if (ok) {
        push_seeds(&field, relief, labels, &queue);
        ok = flood(&field, &queue, job, error);
        cx_free(queue.blocks);
    }
    if (ok)
        copy_labels(&field, labels);
    field_clear(&field);
    return ok;
}
