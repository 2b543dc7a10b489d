/* Layer 1 of a film, the short way where the film is constant in y.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/film_drive.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/retina/retina_cnn_private.h"

#include <string.h>

struct CxFilmDrive {
    const CxRetinaCnn *net;
    const CxMovie *movie;
    float *rows; /* [channel][lag][kernel_x]: kernels summed over y; NULL for
                    films with a height */
};

static bool
check_film(const CxRetinaCnn *net, const CxMovie *movie, GError **error)
{
    const CxRetinaShape *shape = cx_retina_cnn_shape(net);

    if (movie->n_frames <= shape->history) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the film has %zu frames, expected more than the %u of the "
                    "network's history",
                    movie->n_frames, shape->history);
        return false;
    }
    if (movie->width != shape->width ||
        (movie->height != 1 && movie->height != shape->height)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the film measures %zu x %zu pixels, expected the %u x %u "
                    "of the network",
                    movie->width, movie->height, shape->width, shape->height);
        return false;
    }
    return true;
}

static float *
sum_kernels(const CxRetinaCnn *net)
{
    const CxRetinaLayer *layer = cx_retina_cnn_layer(net, 0);
    const float *weight = cx_retina_values(net, 0, CX_RETINA_WEIGHT);
    size_t n = layer->n_out * layer->n_in;
    float *rows = g_new(float, n * layer->kernel_x);

    for (size_t i = 0; i < n; i++)
        for (size_t x = 0; x < layer->kernel_x; x++) {
            double sum = 0.0;

            for (size_t y = 0; y < layer->kernel_y; y++)
                sum += (double)
                    weight[(i * layer->kernel_y + y) * layer->kernel_x + x];
            rows[i * layer->kernel_x + x] = (float)sum;
        }
    return rows;
}

CxFilmDrive *
cx_film_drive_new(const CxRetinaCnn *net, const CxMovie *movie, GError **error)
{
    if (!check_film(net, movie, error))
        return NULL;
    CxFilmDrive *drive = g_new0(CxFilmDrive, 1);
    drive->net = net;
    drive->movie = movie;
    if (movie->height == 1)
        drive->rows = sum_kernels(net);
    return drive;
}

void
cx_film_drive_free(CxFilmDrive *drive)
{
    g_free(drive->rows);
    g_free(drive);
}

/* One row of one channel at one frame; the sums over lags run along x, so that
 * they fill vectors. */
static void
row_drive(const CxFilmDrive *drive, size_t frame, size_t channel, float *row)
{
    const CxRetinaLayer *layer = cx_retina_cnn_layer(drive->net, 0);
    size_t history = layer->n_in, kw = layer->kernel_x;
    double sums[CX_RETINA_MAX_SIDE] = {0};
    for (size_t h = 0; h < history; h++) {
        const float *pixel = cx_movie_frame(drive->movie, frame - history + h);
        const float *weight = drive->rows + (channel * history + h) * kw;

        for (size_t k = 0; k < kw; k++)
            for (size_t x = 0; x < layer->out_x; x++)
                sums[x] += (double)weight[k] * (double)pixel[x + k];
    }
    for (size_t x = 0; x < layer->out_x; x++)
        row[x] = (float)sums[x];
}

static void
flat_drive(const CxFilmDrive *drive, size_t frame, float *out)
{
    const CxRetinaLayer *layer = cx_retina_cnn_layer(drive->net, 0);

    for (size_t c = 0; c < layer->n_out; c++) {
        float *row = out + c * layer->out_y * layer->out_x;

        row_drive(drive, frame, c, row);
        for (size_t y = 1; y < layer->out_y; y++)
            memcpy(row + y * layer->out_x, row, layer->out_x * sizeof(float));
    }
}

static void
add_bias(const CxRetinaCnn *net, size_t n, float sign, float *drive)
{
    const CxRetinaLayer *layer = cx_retina_cnn_layer(net, 0);
    const float *bias = cx_retina_values(net, 0, CX_RETINA_BIAS);
    size_t area = layer->out_y * layer->out_x;

    for (size_t i = 0; i < n * layer->n_out; i++)
        for (size_t k = 0; k < area; k++)
            drive[i * area + k] += sign * bias[i % layer->n_out];
}

void
cx_film_drive_to_z1(const CxRetinaCnn *net, size_t n, float *drive)
{
    add_bias(net, n, 1.0f, drive);
}

bool
cx_film_drive_get(const CxFilmDrive *drive, CxRetinaScratch *scratch,
                  size_t first, size_t n, float *out, GError **error)
{
    const CxRetinaLayer *layer = cx_retina_cnn_layer(drive->net, 0);
    size_t history = layer->n_in;

    g_assert(first >= history && first + n <= drive->movie->n_frames);
    if (drive->rows == NULL) {
        if (!cx_retina_cnn_z1(drive->net, scratch, drive->movie,
                              first - history, n, out, error))
            return false;
        add_bias(drive->net, n, -1.0f, out);
        return true;
    }
    for (size_t i = 0; i < n; i++)
        flat_drive(drive, first + i, out + i * layer->n_units);
    return true;
}

bool
cx_film_drive_means(const CxFilmDrive *drive, CxRetinaScratch *scratch,
                    size_t first, size_t n, double *out, GError **error)
{
    const CxRetinaLayer *layer = cx_retina_cnn_layer(drive->net, 0);
    size_t area = layer->out_y * layer->out_x;
    CX_AUTOFREE float *z = cx_try_alloc(layer->n_units, sizeof(float), error);

    if (z == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!cx_film_drive_get(drive, scratch, first + i, 1, z, error))
            return false;
        for (size_t c = 0; c < layer->n_out; c++) {
            double sum = 0.0;

            for (size_t k = 0; k < area; k++)
                sum += (double)z[c * area + k];
            out[i * layer->n_out + c] = sum / (double)area;
        }
    }
    return true;
}

CxMovie *
cx_film_for_network(const CxRetinaCnn *net, const CxMovie *movie, size_t n_lead,
                    GError **error)
{
    CxMovie *film = cx_movie_new(movie->n_frames + n_lead, movie->height,
                                 movie->width, error);
    double mean, sd;

    if (film == NULL)
        return NULL;
    cx_retina_cnn_normalisation(net, &mean, &sd);
    film->frame_ms = movie->frame_ms;
    film->pixel_um = movie->pixel_um;
    memcpy(cx_movie_frame(film, n_lead), movie->data,
           movie->n_frames * cx_movie_frame_size(movie) * sizeof(float));
    for (size_t i = 0; i < film->n_frames * cx_movie_frame_size(film); i++)
        film->data[i] = (float)(((double)film->data[i] - mean) / sd);
    return film;
}
