/* Binary heap with a position table.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/heap.h"

#define ABSENT UINT32_MAX

struct CxHeap {
    uint32_t *order; /* heap of indices */
    uint32_t *place; /* index → position in order, or ABSENT */
    float *keys;
    uint32_t n_used;
    uint32_t n;
};

CxHeap *
cx_heap_new(uint32_t n)
{
    CxHeap *heap = g_new0(CxHeap, 1);

    heap->order = g_new(uint32_t, n);
    heap->place = g_new(uint32_t, n);
    heap->keys = g_new(float, n);
    heap->n = n;
    for (uint32_t i = 0; i < n; i++)
        heap->place[i] = ABSENT;
    return heap;
}

void
cx_heap_free(CxHeap *heap)
{
    if (heap == NULL)
        return;
    g_free(heap->order);
    g_free(heap->place);
    g_free(heap->keys);
    g_free(heap);
}

bool
cx_heap_is_empty(const CxHeap *heap)
{
    return heap->n_used == 0;
}

bool
cx_heap_contains(const CxHeap *heap, uint32_t index)
{
    return heap->place[index] != ABSENT;
}

/* True if index a must leave before index b. */
static bool
precedes(const CxHeap *heap, uint32_t a, uint32_t b)
{
    if (heap->keys[a] != heap->keys[b])
        return heap->keys[a] > heap->keys[b];
    return a < b;
}

static void
put(CxHeap *heap, uint32_t at, uint32_t index)
{
    heap->order[at] = index;
    heap->place[index] = at;
}

static void
sift_up(CxHeap *heap, uint32_t at)
{
    uint32_t index = heap->order[at];

    while (at > 0 && precedes(heap, index, heap->order[(at - 1) / 2])) {
        put(heap, at, heap->order[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(heap, at, index);
}

static void
sift_down(CxHeap *heap, uint32_t at)
{
    uint32_t index = heap->order[at];

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= heap->n_used)
            break;
        if (child + 1 < heap->n_used &&
            precedes(heap, heap->order[child + 1], heap->order[child]))
            child++;
        if (!precedes(heap, heap->order[child], index))
            break;
        put(heap, at, heap->order[child]);
        at = child;
    }
    put(heap, at, index);
}

void
cx_heap_set(CxHeap *heap, uint32_t index, float key)
{
    g_assert(index < heap->n);
    heap->keys[index] = key;
    if (heap->place[index] == ABSENT)
        put(heap, heap->n_used++, index);
    sift_up(heap, heap->place[index]);
    sift_down(heap, heap->place[index]);
}

void
cx_heap_remove(CxHeap *heap, uint32_t index)
{
    uint32_t at = heap->place[index];

    if (at == ABSENT)
        return;
    heap->place[index] = ABSENT;
    uint32_t last = heap->order[--heap->n_used];
    if (last == index)
        return;
    put(heap, at, last);
    sift_up(heap, at);
    sift_down(heap, heap->place[last]);
}

uint32_t
cx_heap_pop(CxHeap *heap, float *key)
{
    g_assert(heap->n_used > 0);
    uint32_t index = heap->order[0];

    if (key != NULL)
        *key = heap->keys[index];
    cx_heap_remove(heap, index);
    return index;
}
