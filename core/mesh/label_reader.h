/* Reads blocks of labels that overlap, decoding each chunk of the file once.
 *
 * Blocks for surfaces have a margin and so touch chunks of the file that other
 * blocks need too; where chunks are compressed, decoding them again and again
 * costs more than the surfaces.  Chunks are kept as they were read, least
 * recently used go first.  Thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/volume.h"

typedef struct CxLabelReader CxLabelReader;

/* Borrows the volume. */
CxLabelReader *cx_label_reader_new(CxVolume *volume, unsigned level,
                                   size_t capacity_bytes);
void cx_label_reader_free(CxLabelReader *reader);

/* A new u64 chunk that covers box, which lies inside the level. */
CxChunk *cx_label_reader_read(CxLabelReader *reader, CxBox box, CxJob *job,
                              GError **error);

/* The labels have changed: forget all chunks. */
void cx_label_reader_invalidate(CxLabelReader *reader);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxLabelReader, cx_label_reader_free)
