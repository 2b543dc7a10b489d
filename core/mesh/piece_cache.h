/* What is known of chunks: the piece of a label in it, and which labels it
 * holds at all.  Least recently used goes first.  Thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/mesh/mesh_piece.h"

typedef struct CxPieceCache CxPieceCache;

typedef enum {
    CX_PIECE_UNKNOWN,
    CX_PIECE_ABSENT,  /* the label is not in the chunk */
    CX_PIECE_PRESENT, /* *piece is a new reference */
} CxPieceState;

CxPieceCache *cx_piece_cache_new(size_t capacity_bytes);
void cx_piece_cache_free(CxPieceCache *cache);

/* Counts up with every invalidation; what was read before one must not be
 * inserted after it. */
uint64_t cx_piece_cache_generation(CxPieceCache *cache);

CxPieceState cx_piece_cache_lookup(CxPieceCache *cache, CxChunkIdx idx, CxId id,
                                   CxMeshPiece **piece);

/* piece may be NULL (no surface). */
void cx_piece_cache_insert(CxPieceCache *cache, uint64_t generation,
                           CxChunkIdx idx, CxId id, CxMeshPiece *piece);

/* labels: all CxId of the chunk, sorted; taken over. */
void cx_piece_cache_insert_labels(CxPieceCache *cache, uint64_t generation,
                                  CxChunkIdx idx, GArray *labels);

/* Forgets chunks with indices inside this box. */
void cx_piece_cache_invalidate(CxPieceCache *cache, CxBox chunks);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxPieceCache, cx_piece_cache_free)
