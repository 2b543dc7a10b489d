/* A film shown to a retina, and where its cells lie.
 *
 * Samples are float, [frame][y][x] with x fastest, newest frame last; 0 is the
 * mean grey.  A height of 1 is an x-t film: everything it shows is constant
 * in y.  Rates that answer a film are float [frame][cell], one for every
 * frame: rates[t] is the mean rate in the bin of frame t, which a network with
 * a history of h frames predicts from the frames t - h … t - 1 (the window
 * ends one bin before the bin it predicts).
 *
 * Not thread-safe while it is being filled in.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

#define CX_RETINA_FRAME_MS 10.0
#define CX_RETINA_PIXEL_UM 50.0 /* 25 and 55 are in use as well */

typedef struct {
    size_t n_frames, height, width;
    double frame_ms, pixel_um;
    float *data; /* owned */
} CxMovie;

/* All grey.  CX_ERROR_INVALID if a side is 0, CX_ERROR_NO_MEMORY. */
CxMovie *cx_movie_new(size_t n_frames, size_t height, size_t width,
                      GError **error);
void cx_movie_free(CxMovie *movie);
CxMovie *cx_movie_copy(const CxMovie *movie, GError **error);

static inline size_t
cx_movie_frame_size(const CxMovie *movie)
{
    return movie->height * movie->width;
}

static inline float *
cx_movie_frame(const CxMovie *movie, size_t t)
{
    return movie->data + t * movie->height * movie->width;
}

/* Is every frame the same in every row? */
bool cx_movie_is_constant_in_y(const CxMovie *movie);

/* The first row of every frame as an x-t film; and an x-t film with its row
 * repeated height times. */
CxMovie *cx_movie_first_row(const CxMovie *movie, GError **error);
CxMovie *cx_movie_repeat_rows(const CxMovie *movie, size_t height,
                              GError **error);

/* A pixel of a film: where a cell's field has its centre. */
typedef struct {
    int32_t x, y;
} CxCellPosition;

/* Every pixel whose square of (2 margin + 1) lies inside, row by row; in an
 * x-t film the margin counts in x alone.  Owned array of *n, NULL if none. */
CxCellPosition *cx_cell_positions_all(size_t height, size_t width,
                                      size_t margin, size_t *n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxMovie, cx_movie_free)
