/* A film shown to a retina.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/movie.h"

#include "core/base/alloc.h"
#include "core/base/error.h"

#include <string.h>

CxMovie *
cx_movie_new(size_t n_frames, size_t height, size_t width, GError **error)
{
    if (n_frames == 0 || height == 0 || width == 0 || height > INT32_MAX ||
        width > INT32_MAX) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a film of %zu frames of %zu x %zu pixels: expected at "
                    "least 1 of each",
                    n_frames, width, height);
        return NULL;
    }
    size_t n_rows;
    if (__builtin_mul_overflow(n_frames, height, &n_rows))
        n_rows = SIZE_MAX;
    size_t row_bytes = width * sizeof(float);
    float *data = cx_try_alloc0(n_rows, row_bytes, error);
    if (data == NULL)
        return NULL;
    CxMovie *movie = g_new0(CxMovie, 1);
    *movie = (CxMovie){.n_frames = n_frames,
                       .height = height,
                       .width = width,
                       .frame_ms = CX_RETINA_FRAME_MS,
                       .pixel_um = CX_RETINA_PIXEL_UM,
                       .data = data};
    return movie;
}

void
cx_movie_free(CxMovie *movie)
{
    if (movie == NULL)
        return;
    cx_free(movie->data);
    g_free(movie);
}

/* As long as movie, in its units. */
static CxMovie *
new_like(const CxMovie *movie, size_t height, GError **error)
{
    CxMovie *copy = cx_movie_new(movie->n_frames, height, movie->width, error);

    if (copy == NULL)
        return NULL;
    copy->frame_ms = movie->frame_ms;
    copy->pixel_um = movie->pixel_um;
    return copy;
}

CxMovie *
cx_movie_copy(const CxMovie *movie, GError **error)
{
    CxMovie *copy = new_like(movie, movie->height, error);

    if (copy != NULL)
        memcpy(copy->data, movie->data,
               movie->n_frames * cx_movie_frame_size(movie) * sizeof(float));
    return copy;
}

bool
cx_movie_is_constant_in_y(const CxMovie *movie)
{
    size_t row_bytes = movie->width * sizeof(float);

    for (size_t t = 0; t < movie->n_frames; t++) {
        const float *frame = cx_movie_frame(movie, t);

        for (size_t y = 1; y < movie->height; y++)
            if (memcmp(frame, frame + y * movie->width, row_bytes) != 0)
                return false;
    }
    return true;
}

CxMovie *
cx_movie_first_row(const CxMovie *movie, GError **error)
{
    CxMovie *row = new_like(movie, 1, error);

    for (size_t t = 0; row != NULL && t < movie->n_frames; t++)
        memcpy(cx_movie_frame(row, t), cx_movie_frame(movie, t),
               movie->width * sizeof(float));
    return row;
}

CxMovie *
cx_movie_repeat_rows(const CxMovie *movie, size_t height, GError **error)
{
    CxMovie *tall = new_like(movie, height, error);

    for (size_t t = 0; tall != NULL && t < movie->n_frames; t++)
        for (size_t y = 0; y < height; y++)
            memcpy(cx_movie_frame(tall, t) + y * tall->width,
                   cx_movie_frame(movie, t), movie->width * sizeof(float));
    return tall;
}

CxCellPosition *
cx_cell_positions_all(size_t height, size_t width, size_t margin, size_t *n)
{
    size_t margin_y = height == 1 ? 0 : margin;

    *n = 0;
    if (width <= 2 * margin || height <= 2 * margin_y)
        return NULL;
    size_t n_x = width - 2 * margin, n_y = height - 2 * margin_y;
    CxCellPosition *cells = g_new(CxCellPosition, n_x * n_y);
    for (size_t y = 0; y < n_y; y++)
        for (size_t x = 0; x < n_x; x++)
            cells[(*n)++] = (CxCellPosition){(int32_t)(x + margin),
                                             (int32_t)(y + margin_y)};
    return cells;
}
