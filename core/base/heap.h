/* Priority queue of indices 0 … n - 1 whose keys may change.
 *
 * The largest key comes first; equal keys come out in order of index, so the
 * order is total.  Not thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct CxHeap CxHeap;

CxHeap *cx_heap_new(uint32_t n);
void cx_heap_free(CxHeap *heap);
bool cx_heap_is_empty(const CxHeap *heap);

/* Inserts the index or changes its key. */
void cx_heap_set(CxHeap *heap, uint32_t index, float key);
void cx_heap_remove(CxHeap *heap, uint32_t index);
bool cx_heap_contains(const CxHeap *heap, uint32_t index);

/* The heap must not be empty. */
uint32_t cx_heap_pop(CxHeap *heap, float *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxHeap, cx_heap_free)
