/* Writes a volume box by box to a new file or folder, atomically.
 *
 * The format follows the suffix: .h5 .hdf .hdf5 (CREMI layout: image to
 * /volumes/raw, labels to /volumes/labels/neuron_ids, gzip chunks, resolution
 * and offset attributes, z, y, x), .tif .tiff (BigTIFF where needed, deflate,
 * ImageJ/OME voxel size; labels u8/u16/u32 as the largest id demands, uint64
 * refused with a sentence that names .h5 and .zarr), .zarr (v2, zstd through
 * blosc, OME-NGFF 0.4 multiscales metadata), .precomputed (Neuroglancer's; a
 * corner at whole voxels only), or a folder ending in "/"
 * (numbered TIFF slices).  For TIFF, labels may come as u64: they are stored
 * as u32, and as u16 or u8 in the end if all ids fit.
 *
 * Everything is written under a temporary name beside the target; finish()
 * syncs and renames, so the target is absent or whole.  Freeing an unfinished
 * writer removes what it wrote.  Not thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/volume.h"

typedef struct CxWriter CxWriter;

typedef struct {
    CxVoxel size;
    CxDtype dtype;
    unsigned n_channels; /* 0 means 1; more than one: HDF5 and Zarr only */
    CxNm voxel_nm;
    CxNm offset_nm;
    bool is_labels;
    const char *dataset; /* HDF5 path, NULL = by kind */
    const char *keep;    /* HDF5: a file whose data sets come along, or NULL */
    bool overwrite;      /* replace an existing target at finish() */
    size_t slab_bytes;   /* most of a slab; 0 = 256 MiB */
} CxWriterOptions;

/* Size, voxels and place of a box of a volume; samples of u8. */
CxWriterOptions cx_writer_options_over(CxVolume *volume, CxBox box);

/* CX_ERROR_EXISTS if the target is there and overwrite is false. */
CxWriter *cx_writer_new(const char *path, const CxWriterOptions *options,
                        GError **error);

/* Size in z of the slabs in which writing is cheap. */
int64_t cx_writer_slab(const CxWriter *writer);

/* Slabs must come in order of z, cover full x and y, and together the whole
 * volume; dtype and channels as in options. */
bool cx_writer_write(CxWriter *writer, const CxChunk *slab, GError **error);
bool cx_writer_finish(CxWriter *writer, uint64_t *size_bytes, GError **error);
void cx_writer_free(CxWriter *writer);

/* Copies a box of one volume to a new file.  options may be NULL (type, kind
 * and voxel size of src); size, channels and offset follow from src and box,
 * and a voxel_nm of 0 means that of src.  To uint8 images are scaled as
 * cx_volume_read_u8() does; otherwise values stay, and one that does not fit
 * the wanted dtype is CX_ERROR_INVALID.  *size_bytes may be NULL. */
bool cx_writer_copy(CxVolume *src, CxBox box, const char *path,
                    const CxWriterOptions *options, CxJob *job,
                    uint64_t *size_bytes, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxWriter, cx_writer_free)
