/* Grey images to learn from: read, filter, cut into patches.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/image_set_private.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/theory/fft.h"
#include "core/volume/volume.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIDE 2000 /* of an image: its middle is taken */
#define MAX_IMAGES 1000
#define MARGIN 32 /* mirrored pixels around an image in the filter */
#define WHITE_VARIANCE 0.1

CxImageSet *
cx_image_set_new(unsigned n_images)
{
    CxImageSet *set = g_new0(CxImageSet, 1);

    set->n_images = n_images;
    set->images = g_new0(CxGreyImage, n_images);
    return set;
}

bool
cx_image_set_size(CxImageSet *set, unsigned image, unsigned width,
                  unsigned height, GError **error)
{
    CxGreyImage *to = &set->images[image];

    to->width = width;
    to->height = height;
    to->pixels = cx_try_alloc((size_t)width * height, sizeof(float), error);
    return to->pixels != NULL;
}

void
cx_image_set_free(CxImageSet *set)
{
    if (set == NULL)
        return;
    for (unsigned i = 0; i < set->n_images; i++)
        cx_free(set->images[i].pixels);
    g_free(set->images);
    g_free(set);
}

unsigned
cx_image_set_n_images(const CxImageSet *set)
{
    return set->n_images;
}

const float *
cx_image_set_pixels(const CxImageSet *set, unsigned image, unsigned *width,
                    unsigned *height)
{
    const CxGreyImage *from = &set->images[image];

    *width = from->width;
    *height = from->height;
    return from->pixels;
}

/* ---- Reading ---- */

/* A section that is to be read. */
typedef struct {
    CxVolume *volume;
    int64_t z;
} Section;

static void
clear_section(void *data)
{
    cx_volume_unref(((Section *)data)->volume);
}

static bool
add_sections(GArray *sections, const char *spec, CxJob *job, GError **error)
{
    g_autoptr(CxVolume) volume = cx_volume_open(spec, job, error);

    if (volume == NULL)
        return false;
    CxVoxel size = cx_volume_level(volume, 0).size;
    for (int64_t z = 0; z < size.z; z++) {
        Section section = {cx_volume_ref(volume), z};

        g_array_append_val(sections, section);
    }
    return true;
}

static bool
is_image_name(const char *name)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);

    return g_str_has_suffix(lower, ".png") || g_str_has_suffix(lower, ".tif") ||
           g_str_has_suffix(lower, ".tiff");
}

static int
compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Paths of the images in a folder, sorted; empty for a file. */
static GPtrArray *
list_images(const char *folder)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (is_image_name(name))
            g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(paths, compare_strings);
    return paths;
}

static bool
find_sections(GArray *sections, const char *spec, CxJob *job, GError **error)
{
    g_autoptr(GPtrArray) paths = list_images(spec);

    if (paths->len == 0)
        return add_sections(sections, spec, job, error);
    for (unsigned i = 0; i < paths->len; i++)
        if (!add_sections(sections, g_ptr_array_index(paths, i), job, error))
            return false;
    return true;
}

static bool
read_section(CxImageSet *set, unsigned image, const Section *section,
             CxJob *job, GError **error)
{
    CxBox box = cx_volume_bounds(section->volume, 0);
    int64_t width = MIN(box.hi.x, MAX_SIDE), height = MIN(box.hi.y, MAX_SIDE);

    box.lo =
        (CxVoxel){(box.hi.x - width) / 2, (box.hi.y - height) / 2, section->z};
    box.hi = (CxVoxel){box.lo.x + width, box.lo.y + height, section->z + 1};
    g_autoptr(CxChunk) chunk =
        cx_volume_read_u8(section->volume, 0, box, job, error);
    if (chunk == NULL || !cx_image_set_size(set, image, (unsigned)width,
                                            (unsigned)height, error))
        return false;
    const uint8_t *from = cx_chunk_channel(chunk, 0);
    for (size_t i = 0; i < (size_t)(width * height); i++)
        set->images[image].pixels[i] = from[i] / 255.0f;
    return true;
}

CxImageSet *
cx_image_set_load(const char *spec, unsigned max_images, CxJob *job,
                  GError **error)
{
    g_autoptr(GArray) sections = g_array_new(FALSE, FALSE, sizeof(Section));

    g_array_set_clear_func(sections, clear_section);
    if (!find_sections(sections, spec, job, error))
        return NULL;
    unsigned n = MIN(MIN(sections->len, max_images), MAX_IMAGES);
    g_autoptr(CxImageSet) set = cx_image_set_new(n);
    for (unsigned i = 0; i < n; i++) {
        unsigned at = (unsigned)((uint64_t)i * sections->len / n);

        if (!read_section(set, i, &g_array_index(sections, Section, at), NULL,
                          error) ||
            !cx_job_step(job, i + 1, n, error))
            return NULL;
    }
    return g_steal_pointer(&set);
}

/* ---- Filtering ---- */

typedef struct {
    unsigned width, height; /* powers of two */
    double *re, *im;
} Spectrum;

static void
clear_spectrum(Spectrum *spectrum)
{
    cx_free(spectrum->re);
    cx_free(spectrum->im);
}

/* i mirrored into [0, n), the edge not repeated. */
static unsigned
mirror(int64_t i, unsigned n)
{
    int64_t period = n > 1 ? 2 * ((int64_t)n - 1) : 1;

    i = ((i % period) + period) % period;
    return (unsigned)MIN(i, period - i);
}

/* The image less its mean with mirrored margins, transformed. */
static bool
init_spectrum(Spectrum *spectrum, const CxGreyImage *image, unsigned margin,
              GError **error)
{
    size_t n_pixels = (size_t)image->width * image->height;
    double mean = 0.0;

    *spectrum = (Spectrum){.width = cx_fft_size(image->width + 2 * margin),
                           .height = cx_fft_size(image->height + 2 * margin)};
    size_t n = (size_t)spectrum->width * spectrum->height;
    spectrum->re = cx_try_alloc(n, sizeof(double), error);
    spectrum->im =
        spectrum->re != NULL ? cx_try_alloc0(n, sizeof(double), error) : NULL;
    if (spectrum->im == NULL)
        return false;
    for (size_t i = 0; i < n_pixels; i++)
        mean += image->pixels[i];
    mean /= (double)n_pixels;
    for (unsigned y = 0; y < spectrum->height; y++) {
        const float *row =
            image->pixels +
            (size_t)mirror((int64_t)y - margin, image->height) * image->width;
        double *to = spectrum->re + (size_t)y * spectrum->width;

        for (unsigned x = 0; x < spectrum->width; x++)
            to[x] = row[mirror((int64_t)x - margin, image->width)] - mean;
    }
    cx_fft_2d(spectrum->re, spectrum->im, spectrum->width, spectrum->height,
              false);
    return true;
}

static void
filter(Spectrum *spectrum, double f0)
{
    for (unsigned y = 0; y < spectrum->height; y++)
        for (unsigned x = 0; x < spectrum->width; x++) {
            size_t at = (size_t)y * spectrum->width + x;
            double f = hypot(cx_fft_frequency(x, spectrum->width),
                             cx_fft_frequency(y, spectrum->height));
            double gain = f * exp(-pow(f / f0, 4.0));

            spectrum->re[at] *= gain;
            spectrum->im[at] *= gain;
        }
}

static bool
whiten_image(const CxGreyImage *from, double f0, CxGreyImage *to,
             GError **error)
{
    Spectrum spectrum;
    bool ok = init_spectrum(&spectrum, from, MARGIN, error);

    if (ok) {
        filter(&spectrum, f0);
        cx_fft_2d(spectrum.re, spectrum.im, spectrum.width, spectrum.height,
                  true);
        for (unsigned y = 0; y < to->height; y++)
            for (unsigned x = 0; x < to->width; x++)
                to->pixels[(size_t)y * to->width + x] =
                    (float)spectrum
                        .re[(size_t)(y + MARGIN) * spectrum.width + x + MARGIN];
    }
    clear_spectrum(&spectrum);
    return ok;
}

static double
variance(const CxGreyImage *image)
{
    size_t n = (size_t)image->width * image->height;
    double sum = 0.0, squares = 0.0;

    for (size_t i = 0; i < n; i++) {
        sum += image->pixels[i];
        squares += (double)image->pixels[i] * image->pixels[i];
    }
    return squares / (double)n - sum * sum / ((double)n * (double)n);
}

static bool
scale_variance(CxImageSet *set, GError **error)
{
    double mean = 0.0;

    for (unsigned i = 0; i < set->n_images; i++)
        mean += variance(&set->images[i]) / set->n_images;
    if (!(mean > 1e-20)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the %u images are flat after whitening, expected "
                    "something to see",
                    set->n_images);
        return false;
    }
    float scale = (float)sqrt(WHITE_VARIANCE / mean);
    for (unsigned i = 0; i < set->n_images; i++)
        for (size_t k = 0;
             k < (size_t)set->images[i].width * set->images[i].height; k++)
            set->images[i].pixels[k] *= scale;
    return true;
}

CxImageSet *
cx_image_set_whiten(const CxImageSet *set, double f0, CxJob *job,
                    GError **error)
{
    g_autoptr(CxImageSet) white = cx_image_set_new(set->n_images);

    for (unsigned i = 0; i < set->n_images; i++) {
        const CxGreyImage *from = &set->images[i];

        if (!cx_image_set_size(white, i, from->width, from->height, error) ||
            !whiten_image(from, f0, &white->images[i], error) ||
            !cx_job_step(job, i + 1, set->n_images, error))
            return NULL;
    }
    return scale_variance(white, error) ? g_steal_pointer(&white) : NULL;
}

/* ---- Patches ---- */

static void
cut_patch(const CxGreyImage *image, unsigned side, CxRng *rng, float *patch)
{
    size_t x = cx_rng_below(rng, image->width - side + 1);
    size_t y = cx_rng_below(rng, image->height - side + 1);
    float mean = 0.0f;

    for (unsigned row = 0; row < side; row++)
        memcpy(patch + (size_t)row * side,
               image->pixels + (y + row) * image->width + x,
               side * sizeof *patch);
    for (unsigned i = 0; i < side * side; i++)
        mean += patch[i];
    mean /= (float)(side * side);
    for (unsigned i = 0; i < side * side; i++)
        patch[i] -= mean;
}

bool
cx_image_set_patches(const CxImageSet *set, unsigned side, size_t n, CxRng *rng,
                     float *patches, GError **error)
{
    g_autofree unsigned *usable = g_new(unsigned, set->n_images);
    unsigned n_usable = 0;

    for (unsigned i = 0; i < set->n_images; i++)
        if (set->images[i].width >= side && set->images[i].height >= side)
            usable[n_usable++] = i;
    if (n_usable == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "none of %u images is as large as a patch of %u pixels",
                    set->n_images, side);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        cut_patch(&set->images[usable[cx_rng_below(rng, n_usable)]], side, rng,
                  patches + i * side * side);
    return true;
}

/* ---- Statistics ---- */

/* Adds log f and log power of each octave step to the sums of a line. */
static double
image_slope(const Spectrum *spectrum, unsigned side)
{
    enum { n_bins = 24 };
    double power[n_bins] = {0}, sums[n_bins] = {0};
    uint64_t counts[n_bins] = {0};
    double lo = log(2.0 / side), hi = log(0.25);

    for (unsigned y = 0; y < spectrum->height; y++)
        for (unsigned x = 0; x < spectrum->width; x++) {
            size_t at = (size_t)y * spectrum->width + x;
            double f = log(hypot(cx_fft_frequency(x, spectrum->width),
                                 cx_fft_frequency(y, spectrum->height)));
            double bin = (f - lo) / (hi - lo) * n_bins;

            if (!(bin >= 0.0 && bin < n_bins))
                continue;
            power[(int)bin] += spectrum->re[at] * spectrum->re[at] +
                               spectrum->im[at] * spectrum->im[at];
            sums[(int)bin] += f;
            counts[(int)bin]++;
        }
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int i = 0; i < n_bins; i++) {
        if (counts[i] == 0 || power[i] <= 0.0)
            continue;
        double a = sums[i] / (double)counts[i];
        double b = log(power[i] / (double)counts[i]);

        n++, sx += a, sy += b, sxx += a * a, sxy += a * b;
    }
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

double
cx_image_set_slope(const CxImageSet *set, GError **error)
{
    double sum = 0.0;

    for (unsigned i = 0; i < set->n_images; i++) {
        const CxGreyImage *image = &set->images[i];
        Spectrum spectrum;
        bool ok = init_spectrum(&spectrum, image, 0, error);

        if (ok)
            sum += image_slope(&spectrum, MIN(image->width, image->height)) /
                   set->n_images;
        clear_spectrum(&spectrum);
        if (!ok)
            return NAN;
    }
    return sum;
}
