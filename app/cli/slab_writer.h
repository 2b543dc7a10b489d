/* Writes slabs of any depth: a CxWriter takes its own depth only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/writer.h"

typedef struct CxcliSlabWriter CxcliSlabWriter;

/* As cx_writer_new(). */
CxcliSlabWriter *cxcli_slab_writer_new(const char *path,
                                       const CxWriterOptions *options,
                                       GError **error);
void cxcli_slab_writer_free(CxcliSlabWriter *writer);

/* Sections in order of z without a gap, full in x and y; only the order
 * counts, not the z of the chunk's box. */
bool cxcli_slab_writer_put(CxcliSlabWriter *writer, const CxChunk *slab,
                           GError **error);
bool cxcli_slab_writer_finish(CxcliSlabWriter *writer, uint64_t *size_bytes,
                              GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxcliSlabWriter, cxcli_slab_writer_free)
