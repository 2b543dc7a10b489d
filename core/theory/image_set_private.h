/* Inside an image set: for image_*.c alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/theory/image_set.h"

typedef struct {
    unsigned width, height;
    float *pixels;
} CxGreyImage;

struct CxImageSet {
    unsigned n_images;
    CxGreyImage *images;
};

/* n_images without pixels. */
CxImageSet *cx_image_set_new(unsigned n_images);

/* Takes memory for the pixels of one. */
bool cx_image_set_size(CxImageSet *set, unsigned image, unsigned width,
                       unsigned height, GError **error);
