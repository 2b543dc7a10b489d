/* Seeded watershed with a queue of 256 buckets.
 *
 * The arrays are padded by a voxel of wall on every side, so that no
 * neighbour needs a bounds check.  Every voxel is queued once: it gets its
 * label when it is first reached.  Buckets are lists of blocks of indices from
 * one pool: writing and reading them is sequential.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/watershed.h"

#include "core/base/alloc.h"
#include "core/base/error.h"

#include <string.h>

#define N_LEVELS 256
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
 * blocks and one more a bucket are enough. */
static bool
queue_init(Queue *queue, size_t n_voxels, GError **error)
{
    size_t n_blocks = n_voxels / BLOCK + 2 * N_LEVELS;

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

typedef struct {
    CxVoxel size;
    ptrdiff_t row, plane; /* of the padded arrays */
    size_t n;
    uint32_t *labels;
    uint8_t *relief;
} Field;

static void
field_clear(Field *field)
{
    cx_free(field->labels);
    cx_free(field->relief);
}

static ptrdiff_t
row_start(const Field *field, int64_t y, int64_t z)
{
    return (z + 1) * field->plane + (y + 1) * field->row + 1;
}

static bool
field_init(Field *field, const uint8_t *relief, const uint32_t *labels,
           CxVoxel size, GError **error)
{
    CxBox padded =
        cx_box_of_size((CxVoxel){size.x + 2, size.y + 2, size.z + 2});

    *field =
        (Field){size, size.x + 2, (size.x + 2) * (size.y + 2), 0, NULL, NULL};
    if (!cx_box_n_voxels(padded, &field->n) || field->n > INT32_MAX) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "a watershed over %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                    " x %" G_GINT64_FORMAT " voxels is too large for one piece",
                    size.x, size.y, size.z);
        return false;
    }
    field->labels = cx_try_alloc(field->n, sizeof(uint32_t), error);
    if (field->labels == NULL)
        return false;
    field->relief = cx_try_alloc(field->n, 1, error);
    if (field->relief == NULL) {
        field_clear(field);
        return false;
    }
    memset(field->labels, 0xff, field->n * sizeof(uint32_t));
    for (int64_t z = 0; z < size.z; z++) {
        for (int64_t y = 0; y < size.y; y++) {
            ptrdiff_t to = row_start(field, y, z);
            int64_t from = (z * size.y + y) * size.x;
            memcpy(field->labels + to, labels + from,
                   (size_t)size.x * sizeof(uint32_t));
            memcpy(field->relief + to, relief + from, (size_t)size.x);
        }
    }
    return true;
}

static void
copy_labels(const Field *field, uint32_t *labels)
{
    CxVoxel size = field->size;

    for (int64_t z = 0; z < size.z; z++) {
        for (int64_t y = 0; y < size.y; y++)
            memcpy(labels + (z * size.y + y) * size.x,
                   field->labels + row_start(field, y, z),
                   (size_t)size.x * sizeof(uint32_t));
    }
}

static void
push_seeds(const Field *field, Queue *queue)
{
    const uint32_t *labels = field->labels;

    for (size_t i = (size_t)field->plane; i + (size_t)field->plane < field->n;
         i++) {
        if (labels[i] == 0 || labels[i] == CX_WATERSHED_WALL)
            continue;
        const uint32_t *at = labels + i;
        if (at[-field->plane] == 0 || at[-field->row] == 0 || at[-1] == 0 ||
            at[1] == 0 || at[field->row] == 0 || at[field->plane] == 0)
            push(queue, field->relief[i], (uint32_t)i);
    }
}

static bool
flood(Field *field, Queue *queue, CxJob *job, GError **error)
{
    const ptrdiff_t steps[6] = {-field->plane, -field->row, -1, 1,
                                field->row,    field->plane};
    uint32_t *labels = field->labels;
    const uint8_t *relief = field->relief;
    uint32_t at;

    for (uint64_t n_done = 0; pop(queue, &at); n_done++) {
        uint32_t label = labels[at];
        for (int k = 0; k < 6; k++) {
            ptrdiff_t to = (ptrdiff_t)at + steps[k];
            if (labels[to] != 0)
                continue;
            labels[to] = label;
            push(queue, relief[to], (uint32_t)to);
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
        push_seeds(&field, &queue);
        ok = flood(&field, &queue, job, error);
        cx_free(queue.blocks);
    }
    if (ok)
        copy_labels(&field, labels);
    field_clear(&field);
    return ok;
}
