/* Films and rates in HDF5.
 *
 * The file is opened for every read: shapes are kept, handles are not.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/recording.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/volume/hdf5_file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define MAX_SIDE 4096
#define MAX_CELLS 1000000
#define MAX_FRAMES ((hsize_t)1 << 40)
#define WRITE_FRAMES 4096 /* between looks at the job */

static const char *const part_names[CX_N_RECORDING_PARTS] = {"train", "test"};
static const char *const rate_names[CX_N_RATES] = {
    "firing_rate_5ms", "firing_rate_10ms", "firing_rate_20ms", "binned"};

typedef struct {
    size_t n_frames, height, width;
    size_t n_cells[CX_N_RATES];
} Part;

struct CxRecording {
    char *path, *source;
    Part parts[CX_N_RECORDING_PARTS];
};

#define REFUSE(...)                                                            \
    (g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, __VA_ARGS__), false)

/* ---- opening ---------------------------------------------------------- */

/* The sides of a data set of numbers; absent leaves *n_dims 0. */
static bool
read_shape(hid_t file, const char *path, const char *name, hsize_t dims[3],
           int *n_dims, GError **error)
{
    g_autofree char *where = g_strdup_printf("%s:/%s", path, name);
    CxDtype dtype;

    *n_dims = 0;
    CX_HID set = cx_hdf5_open_object(file, name);
    if (set < 0)
        return true;
    if (H5Iget_type(set) != H5I_DATASET)
        return REFUSE("%s is no data set", where);
    CX_HID type = H5Dget_type(set);
    CX_HID space = H5Dget_space(set);
    int n = H5Sget_simple_extent_ndims(space);
    if (n < 1 || n > 3 || H5Sget_simple_extent_dims(space, dims, NULL) != n ||
        !cx_hdf5_dtype(type, &dtype))
        return REFUSE("%s: expected numbers in at most 3 dimensions", where);
    *n_dims = n;
    return cx_hdf5_check_storage(set, where, error);
}

static bool
read_rate_shape(hid_t file, const char *path, CxRecordingPart p, unsigned kind,
                Part *part, GError **error)
{
    g_autofree char *name =
        g_strdup_printf("%s/response/%s", part_names[p], rate_names[kind]);
    hsize_t dims[3];
    int n_dims;

    if (!read_shape(file, path, name, dims, &n_dims, error))
        return false;
    if (n_dims == 0)
        return true;
    if (n_dims != 2 || dims[0] == 0 || dims[0] > MAX_CELLS ||
        dims[1] != part->n_frames)
        return REFUSE("%s:/%s has a shape of %" G_GUINT64_FORMAT
                      " x %" G_GUINT64_FORMAT ", expected cells x %zu frames",
                      path, name, (uint64_t)dims[0],
                      n_dims > 1 ? (uint64_t)dims[1] : 0, part->n_frames);
    part->n_cells[kind] = (size_t)dims[0];
    return true;
}

static bool
read_part_shape(hid_t file, const char *path, CxRecordingPart p, Part *part,
                GError **error)
{
    g_autofree char *name = g_strdup_printf("%s/stimulus", part_names[p]);
    hsize_t dims[3];
    int n_dims;

    if (!read_shape(file, path, name, dims, &n_dims, error))
        return false;
    if (n_dims == 0)
        return true;
    if (n_dims != 3 || dims[0] == 0 || dims[0] > MAX_FRAMES || dims[1] == 0 ||
        dims[1] > MAX_SIDE || dims[2] == 0 || dims[2] > MAX_SIDE)
        return REFUSE("%s:/%s: expected frames of at most %d x %d pixels", path,
                      name, MAX_SIDE, MAX_SIDE);
    part->n_frames = (size_t)dims[0];
    part->height = (size_t)dims[1];
    part->width = (size_t)dims[2];
    for (unsigned kind = 0; kind < CX_N_RATES; kind++)
        if (!read_rate_shape(file, path, p, kind, part, error))
            return false;
    return true;
}

static bool
read_shapes(CxRecording *r, GError **error)
{
    CX_HID file = cx_hdf5_open_file(r->path, error);

    if (file < 0)
        return false;
    for (unsigned p = 0; p < CX_N_RECORDING_PARTS; p++)
        if (!read_part_shape(file, r->path, (CxRecordingPart)p, &r->parts[p],
                             error))
            return false;
    r->source = cx_hdf5_attribute_string(file, "source");
    if (r->parts[0].n_frames == 0 && r->parts[1].n_frames == 0)
        return REFUSE("%s: found neither /train/stimulus nor /test/stimulus, "
                      "expected a recording",
                      r->path);
    return true;
}

CxRecording *
cx_recording_open(const char *path, GError **error)
{
    g_autoptr(CxRecording) recording = g_new0(CxRecording, 1);

    if (g_access(path, R_OK) != 0) {
        cx_error_set_errno(error, errno, "cannot read %s", path);
        return NULL;
    }
    recording->path = g_strdup(path);
    cx_hdf5_lock();
    bool ok = read_shapes(recording, error);
    cx_hdf5_unlock();
    return ok ? g_steal_pointer(&recording) : NULL;
}

void
cx_recording_free(CxRecording *recording)
{
    if (recording == NULL)
        return;
    g_free(recording->path);
    g_free(recording->source);
    g_free(recording);
}

const char *
cx_recording_source(const CxRecording *recording)
{
    return recording->source != NULL ? recording->source : "";
}

size_t
cx_recording_n_frames(const CxRecording *recording, CxRecordingPart part)
{
    return recording->parts[part].n_frames;
}

size_t
cx_recording_height(const CxRecording *recording, CxRecordingPart part)
{
    return recording->parts[part].height;
}

size_t
cx_recording_width(const CxRecording *recording, CxRecordingPart part)
{
    return recording->parts[part].width;
}

size_t
cx_recording_n_cells(const CxRecording *recording, CxRecordingPart part,
                     CxRateKind kind)
{
    return recording->parts[part].n_cells[kind];
}

/* ---- reading ---------------------------------------------------------- */

static bool
read_box(const char *path, const char *name, unsigned n_dims,
         const hsize_t *start, const hsize_t *count, float *data)
{
    CX_HID file = cx_hdf5_open_file(path, NULL);

    if (file < 0)
        return false;
    CX_HID set = cx_hdf5_open_object(file, name);
    if (set < 0 || H5Iget_type(set) != H5I_DATASET)
        return false;
    CX_HID space = H5Dget_space(set);
    CX_HID memory = H5Screate_simple((int)n_dims, count, NULL);
    return H5Sget_simple_extent_ndims(space) == (int)n_dims &&
           H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count,
                               NULL) >= 0 &&
           H5Dread(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, data) >=
               0;
}

static bool
read_floats(const CxRecording *r, const char *name, unsigned n_dims,
            const hsize_t *start, const hsize_t *count, float *data,
            GError **error)
{
    cx_hdf5_lock();
    bool ok = read_box(r->path, name, n_dims, start, count, data);
    cx_hdf5_unlock();
    if (!ok)
        g_set_error(error, CX_ERROR, CX_ERROR_IO, "%s:/%s cannot be read",
                    r->path, name);
    return ok;
}

static bool
check_range(const CxRecording *r, CxRecordingPart part, size_t first, size_t n,
            GError **error)
{
    size_t n_frames = r->parts[part].n_frames;

    if (n > 0 && first < n_frames && n <= n_frames - first)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s: asked for %zu frames from %zu of /%s, which has %zu",
                r->path, n, first, part_names[part], n_frames);
    return false;
}

CxMovie *
cx_recording_read_movie(const CxRecording *recording, CxRecordingPart part,
                        size_t first, size_t n, GError **error)
{
    const Part *p = &recording->parts[part];
    g_autofree char *name = g_strdup_printf("%s/stimulus", part_names[part]);
    hsize_t start[3] = {first, 0, 0};
    hsize_t count[3] = {n, p->height, p->width};

    if (!check_range(recording, part, first, n, error))
        return NULL;
    g_autoptr(CxMovie) movie = cx_movie_new(n, p->height, p->width, error);
    if (movie == NULL ||
        !read_floats(recording, name, 3, start, count, movie->data, error))
        return NULL;
    return g_steal_pointer(&movie);
}

float *
cx_recording_read_rates(const CxRecording *recording, CxRecordingPart part,
                        CxRateKind kind, size_t first, size_t n, GError **error)
{
    size_t n_cells = recording->parts[part].n_cells[kind];
    g_autofree char *name =
        g_strdup_printf("%s/response/%s", part_names[part], rate_names[kind]);
    hsize_t start[2] = {0, first}, count[2] = {n_cells, n};

    if (!check_range(recording, part, first, n, error))
        return NULL;
    if (n_cells == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND, "%s has no /%s",
                    recording->path, name);
        return NULL;
    }
    CX_AUTOFREE float *rows = cx_try_alloc(n_cells * n, sizeof(float), error);
    float *rates =
        rows != NULL ? cx_try_alloc(n_cells * n, sizeof(float), error) : NULL;
    if (rates == NULL)
        return NULL;
    if (!read_floats(recording, name, 2, start, count, rows, error)) {
        cx_free(rates);
        return NULL;
    }
    for (size_t i = 0; i < n_cells; i++)
        for (size_t t = 0; t < n; t++)
            rates[t * n_cells + i] = rows[i * n + t];
    return rates;
}

void
cx_movie_statistics(const CxMovie *movie, double *mean, double *sd)
{
    size_t n = movie->n_frames * cx_movie_frame_size(movie);
    double sum = 0.0, squares = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += (double)movie->data[i];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        double z = (double)movie->data[i] - *mean;

        squares += z * z;
    }
    *sd = sqrt(squares / (double)n);
}

void
cx_movie_normalise(CxMovie *movie, double mean, double sd)
{
    size_t n = movie->n_frames * cx_movie_frame_size(movie);

    for (size_t i = 0; i < n; i++)
        movie->data[i] = (float)(((double)movie->data[i] - mean) / (sd + 1e-7));
}

/* ---- writing ---------------------------------------------------------- */

typedef struct {
    hid_t file;
    CxJob *job;
    size_t done, total; /* frames */
} Writer;

static hid_t
create_set(const Writer *w, const char *name, hid_t type, unsigned n_dims,
           const hsize_t *dims, const hsize_t *chunk)
{
    CX_HID space = H5Screate_simple((int)n_dims, dims, NULL);
    CX_HID links = H5Pcreate(H5P_LINK_CREATE);
    CX_HID creation = H5Pcreate(H5P_DATASET_CREATE);

    H5Pset_create_intermediate_group(links, 1);
    if (chunk != NULL) {
        H5Pset_chunk(creation, (int)n_dims, chunk);
        H5Pset_deflate(creation, 4);
    }
    return H5Dcreate2(w->file, name, type, space, links, creation, H5P_DEFAULT);
}

static bool
put_box(hid_t set, unsigned n_dims, const hsize_t *start, const hsize_t *count,
        hid_t type, const void *data)
{
    CX_HID space = H5Dget_space(set);
    CX_HID memory = H5Screate_simple((int)n_dims, count, NULL);

    return H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count,
                               NULL) >= 0 &&
           H5Dwrite(set, type, memory, space, H5P_DEFAULT, data) >= 0;
}

/* Frames [t, t + n) of the film, their times and rates. */
static bool
put_frames(const CxRecordingContent *c, hid_t stimulus, hid_t time, hid_t rates,
           size_t t, size_t n)
{
    const CxMovie *movie = c->movie;
    hsize_t start[3] = {t, 0, 0};
    hsize_t count[3] = {n, movie->height, movie->width};
    hsize_t rate_start[2] = {0, t}, rate_count[2] = {c->n_cells, n};
    g_autofree double *seconds = g_new(double, n);
    g_autofree float *rows = g_new(float, c->n_cells *n);

    for (size_t k = 0; k < n; k++) {
        seconds[k] = (double)(t + k) * movie->frame_ms * 1e-3;
        for (size_t i = 0; i < c->n_cells; i++)
            rows[i * n + k] = c->rates[(t + k) * c->n_cells + i];
    }
    return put_box(stimulus, 3, start, count, H5T_NATIVE_FLOAT,
                   cx_movie_frame(movie, t)) &&
           put_box(time, 1, start, count, H5T_NATIVE_DOUBLE, seconds) &&
           put_box(rates, 2, rate_start, rate_count, H5T_NATIVE_FLOAT, rows);
}

static bool
put_part(Writer *w, CxRecordingPart part, const CxRecordingContent *c,
         GError **error)
{
    const CxMovie *movie = c->movie;
    const char *group = part_names[part];
    g_autofree char *stimulus_name = g_strdup_printf("%s/stimulus", group);
    g_autofree char *time_name = g_strdup_printf("%s/time", group);
    g_autofree char *rate_name =
        g_strdup_printf("%s/response/%s", group, rate_names[CX_RATE_10MS]);
    hsize_t dims[3] = {movie->n_frames, movie->height, movie->width};
    hsize_t chunk[3] = {MIN(movie->n_frames, 100), movie->height, movie->width};
    hsize_t rate_dims[2] = {c->n_cells, movie->n_frames};
    CX_HID stimulus =
        create_set(w, stimulus_name, H5T_IEEE_F32LE, 3, dims, chunk);
    CX_HID time = create_set(w, time_name, H5T_IEEE_F64LE, 1, dims, NULL);
    CX_HID rates = create_set(w, rate_name, H5T_IEEE_F32LE, 2, rate_dims, NULL);
    bool ok = stimulus >= 0 && time >= 0 && rates >= 0;

    for (size_t t = 0; t < movie->n_frames && ok; t += WRITE_FRAMES) {
        size_t n = MIN(WRITE_FRAMES, movie->n_frames - t);

        ok = put_frames(c, stimulus, time, rates, t, n);
        w->done += n;
        if (ok && !cx_job_step(w->job, w->done, w->total, error))
            return false;
    }
    return ok;
}

static bool
put_source(hid_t file, const char *source)
{
    CX_HID type = H5Tcopy(H5T_C_S1);
    CX_HID space = H5Screate(H5S_SCALAR);

    H5Tset_size(type, strlen(source) + 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    CX_HID attribute =
        H5Acreate2(file, "source", type, space, H5P_DEFAULT, H5P_DEFAULT);
    return attribute >= 0 && H5Awrite(attribute, type, source) >= 0;
}

/* Under the lock.  On failure *errnum is what the system said, or 0. */
static bool
write_file(const char *path, const char *source,
           const CxRecordingContent *const *parts, CxJob *job, int *errnum,
           GError **error)
{
    Writer w = {.job = job};

    for (unsigned p = 0; p < CX_N_RECORDING_PARTS; p++)
        if (parts[p] != NULL && parts[p]->movie != NULL)
            w.total += parts[p]->movie->n_frames;
    w.file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = w.file >= 0 && put_source(w.file, source);
    for (unsigned p = 0; p < CX_N_RECORDING_PARTS && ok; p++)
        if (parts[p] != NULL && parts[p]->movie != NULL)
            ok = put_part(&w, (CxRecordingPart)p, parts[p], error);
    if (w.file >= 0) {
        ok = H5Fflush(w.file, H5F_SCOPE_GLOBAL) >= 0 && ok;
        *errnum = ok ? 0 : cx_hdf5_errno();
        ok = H5Fclose(w.file) >= 0 && ok;
    } else {
        *errnum = cx_hdf5_errno();
    }
    return ok;
}

bool
cx_recording_write(const char *path, const char *source,
                   const CxRecordingContent *train,
                   const CxRecordingContent *test, CxJob *job, GError **error)
{
    const CxRecordingContent *parts[CX_N_RECORDING_PARTS] = {train, test};
    g_autofree char *part = g_strconcat(path, ".part", NULL);
    g_autoptr(GError) cause = NULL;
    int errnum = 0;

    cx_hdf5_lock();
    bool ok = write_file(part, source, parts, job, &errnum, &cause);
    cx_hdf5_unlock();
    if (ok && cx_hdf5_install(part, path))
        return true;
    if (cause != NULL)
        g_propagate_error(error, g_steal_pointer(&cause));
    else
        cx_error_set_errno(error, errnum != 0 ? errnum : EIO, "cannot write %s",
                           path);
    g_unlink(part);
    return false;
}
