/* What writer.c asks of a format.
 *
 * A format writes to a temporary path that does not exist yet and is renamed
 * by writer.c; it need not clean up.  Slabs arrive checked and in order.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/writer.h"

typedef struct {
    const char *name;
    bool is_folder;
    void *(*open)(const char *path, const CxWriterOptions *options,
                  GError **error);
    int64_t (*slab)(void *self);
    bool (*write)(void *self, const CxChunk *slab, GError **error);

    /* All bytes have left the process after this; writer.c syncs. */
    bool (*finish)(void *self, GError **error);
    void (*free)(void *self);
} CxWriterFormat;

extern const CxWriterFormat cx_writer_hdf5;
extern const CxWriterFormat cx_writer_precomputed;
extern const CxWriterFormat cx_writer_slices;
extern const CxWriterFormat cx_writer_tiff;
extern const CxWriterFormat cx_writer_zarr;

/* Sections in a slab: as many as wanted, fewer where they are large. */
int64_t cx_writer_slab_depth(const CxWriterOptions *options, int64_t wanted);

/* Chunks of 64 voxels a side, or less where the volume or its slabs are less. */
CxVoxel cx_writer_cube(const CxWriterOptions *options);

/* With all folders above it. */
bool cx_writer_make_folder(const char *path, GError **error);

/* Writes all bytes or says why not: "cannot write PATH: No space left". */
bool cx_writer_put(int fd, const char *path, const void *bytes, size_t n,
                   GError **error);

/* A new file of these bytes. */
bool cx_writer_put_file(const char *path, const void *bytes, size_t n,
                        GError **error);

/* A number as short as possible that reads back as the same double; owned. */
char *cx_writer_format_double(double value);
