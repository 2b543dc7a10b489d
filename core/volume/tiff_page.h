/* One page of a TIFF file: what it is, and its pixels block by block.
 *
 * Samples keep their type where it has 8, 16, 32 or 64 bits; fewer than 8 are
 * stretched to 0 … 255 (kept as numbers for labels), odd widths become the
 * next wider type, 16-bit floats become float32.  WhiteIsZero is inverted.
 * RGB, CMYK and palettes become luminance (palettes of labels: the index); of
 * several grey samples the first is taken.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/chunk.h"
#include "core/volume/tiff_file.h"

typedef enum {
    CX_TIFF_GREY,
    CX_TIFF_INVERTED,
    CX_TIFF_PALETTE,
    CX_TIFF_RGB,
    CX_TIFF_CMYK,
    CX_TIFF_CONVERTED, /* through libtiff's RGBA interface */
} CxTiffKind;

typedef struct {
    uint32_t width, height;
    uint32_t block_width, block_height; /* a strip or tile of the file */
    CxDtype dtype;
    CxTiffKind kind;
    uint16_t bits, n_samples, format;
    bool is_tiled, is_planar;
    bool needs_swap;       /* the file's byte order is not the machine's */
    bool is_plain;         /* rows lie uncompressed one behind the other … */
    uint64_t plain_offset; /* … from here */
} CxTiffPage;

/* Describes the current directory. */
bool cx_tiff_page_read(CxTiffFile *file, CxTiffPage *page, GError **error);

/* Bytes of a stored row of a plain page. */
uint64_t cx_tiff_page_row_bytes(const CxTiffPage *page);

/* Decodes what dst covers; its x, y range starts and ends on block borders or
 * the page's, its z is one section. */
bool cx_tiff_page_decode(CxTiffFile *file, const CxTiffPage *page,
                         bool as_labels, CxChunk *dst, GError **error);

/* Converts rows of stored samples of a plain page, in the file's byte order
 * (src is swapped in place). */
void cx_tiff_page_convert_rows(const CxTiffPage *page, bool as_labels,
                               uint8_t *src, size_t src_stride, uint8_t *dst,
                               size_t dst_stride, size_t n_rows,
                               size_t n_columns);
