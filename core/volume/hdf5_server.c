/* The helper process of hdf5.c.
 *
 * It is this program, started once more with CX_HDF5_HELPER in its
 * environment: a constructor turns it into a server before main() begins, so
 * that there is no second binary to install and to find.  It lives as long as
 * the socket.  No request may cost more memory than a limit, or more processor
 * time than a sound file could: libhdf5 1.10 walks in circles in damaged files
 * (one byte of a group's heap makes its list of free blocks endless), and only
 * its end stops it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/volume/hdf5_local.h"
#include "core/volume/hdf5_protocol.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MEMORY_LIMIT ((rlim_t)6 << 30)
#define PIECE_VOXELS ((int64_t)1 << 22)

/* Processor time.  Looking into a sound file takes milliseconds, and what may
 * take longer, a list of very many data sets, stops before (hdf5_local.c).
 * Samples take as long as all chunks they lie in: at this rate at worst. */
#define LOOK_S 0.5
#define READ_S 1.0
#define BYTES_PER_S 20e6

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true /* slower, and address space without bounds */
#else
#define IS_SANITIZED false
#endif

int64_t
cx_hdf5_piece_depth(CxVoxel size)
{
    return CLAMP(PIECE_VOXELS / size.x / size.y, 1, size.z);
}

bool
cx_hdf5_send(int fd, const void *bytes, size_t n)
{
    while (n > 0) {
        int64_t done = send(fd, bytes, n, MSG_NOSIGNAL);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes = (const uint8_t *)bytes + done;
        n -= (size_t)done;
    }
    return true;
}

bool
cx_hdf5_receive(int fd, void *bytes, size_t n)
{
    while (n > 0) {
        int64_t got = recv(fd, bytes, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes = (uint8_t *)bytes + got;
        n -= (size_t)got;
    }
    return true;
}

typedef struct {
    int fd;
    void *volume;
    CxVolumeInfo info;
} Server;

static bool
send_ok(const Server *self, uint32_t n_items)
{
    CxHdf5Reply reply = {.ok = true, .n_items = n_items};

    return cx_hdf5_send(self->fd, &reply, sizeof reply);
}

static bool
send_error(const Server *self, GError *error)
{
    g_autoptr(GError) owned = error;
    size_t length = MIN(strlen(owned->message), CX_HDF5_MAX_TEXT);
    CxHdf5Reply reply = {.code = owned->code, .text_length = (uint32_t)length};

    return cx_hdf5_send(self->fd, &reply, sizeof reply) &&
           cx_hdf5_send(self->fd, owned->message, length);
}

static bool
serve_open(Server *self, const char *path, const char *dataset)
{
    GError *error = NULL;

    self->volume =
        cx_hdf5_local_reader.open(path, dataset, &self->info, NULL, &error);
    if (self->volume == NULL)
        return send_error(self, error);
    return send_ok(self, 0) &&
           cx_hdf5_send(self->fd, &self->info, sizeof self->info);
}

static bool
serve_list(Server *self, const char *path)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) list = cx_hdf5_local_reader.list(path, &error);

    if (list == NULL)
        return send_error(self, error);
    bool ok = send_ok(self, list->len);
    for (guint i = 0; ok && i < list->len; i++) {
        const CxDatasetInfo *info = list->pdata[i];
        CxHdf5Item item = {info->size, info->dtype, info->is_labels,
                           (uint32_t)strlen(info->path)};

        ok = cx_hdf5_send(self->fd, &item, sizeof item) &&
             cx_hdf5_send(self->fd, info->path, item.path_length);
    }
    return ok;
}

/* No request may spin: the signal ends the process.  0 = no limit. */
static void
limit_time(double seconds)
{
    int64_t us = (int64_t)(seconds * (IS_SANITIZED ? 5 : 1) * 1e6);
    struct itimerval timer = {.it_value = {us / 1000000, us % 1000000}};

    setitimer(ITIMER_PROF, &timer, NULL);
}

static double
whole_chunks(int64_t lo, int64_t hi, int64_t chunk)
{
    return (double)(((hi - 1) / chunk - lo / chunk + 1) * chunk);
}

/* What decoding all chunks that touch a box may take. */
static double
read_seconds(const CxVolumeInfo *info, CxBox box)
{
    CxVoxel chunk = info->levels[0].chunk_size;
    double n_bytes = whole_chunks(box.lo.x, box.hi.x, chunk.x) *
                     whole_chunks(box.lo.y, box.hi.y, chunk.y) *
                     whole_chunks(box.lo.z, box.hi.z, chunk.z) *
                     info->n_channels *
                     (double)cx_dtype_size_bytes(info->dtype);

    return READ_S + n_bytes / BYTES_PER_S;
}

static bool
serve_read(Server *self, CxBox box)
{
    CxVoxel size = cx_box_size(box);
    int64_t depth = cx_hdf5_piece_depth(size);
    bool ok = true;

    for (int64_t z = box.lo.z; ok && z < box.hi.z; z += depth) {
        CxBox piece = box;
        GError *error = NULL;

        piece.lo.z = z;
        piece.hi.z = MIN(z + depth, box.hi.z);
        limit_time(read_seconds(&self->info, piece));
        g_autoptr(CxChunk) chunk = cx_chunk_new(self->info.dtype, piece,
                                                self->info.n_channels, &error);
        if (chunk == NULL || !cx_hdf5_local_reader.read(self->volume, 0, piece,
                                                        chunk, NULL, &error))
            return send_error(self, error);
        ok = send_ok(self, 0) && cx_hdf5_send(self->fd, cx_chunk_data(chunk),
                                              cx_chunk_size_bytes(chunk));
    }
    return ok;
}

/* A string of a request; NULL with false at the end of the stream. */
static bool
receive_text(const Server *self, uint32_t length, char **text)
{
    *text = NULL;
    if (length == UINT32_MAX)
        return true;
    if (length > CX_HDF5_MAX_TEXT)
        return false;
    *text = g_malloc0((gsize)length + 1);
    return cx_hdf5_receive(self->fd, *text, length);
}

static bool
serve_one(Server *self)
{
    CxHdf5Request request;
    g_autofree char *path = NULL;
    g_autofree char *dataset = NULL;

    limit_time(0);
    if (!cx_hdf5_receive(self->fd, &request, sizeof request) ||
        !receive_text(self, request.path_length, &path) ||
        !receive_text(self, request.dataset_length, &dataset))
        return false;
    limit_time(LOOK_S);
    switch (request.operation) {
    case CX_HDF5_OPEN:
        return serve_open(self, path, dataset);
    case CX_HDF5_LIST:
        return serve_list(self, path);
    case CX_HDF5_READ:
        return serve_read(self, request.box);
    }
    return false;
}

static void
limit_harm(void)
{
    struct rlimit none = {0, 0}, memory = {MEMORY_LIMIT, MEMORY_LIMIT};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &none); /* it has nothing to write */
    if (!IS_SANITIZED)
        setrlimit(RLIMIT_AS, &memory);
}

__attribute__((constructor)) static void
serve_if_helper(void)
{
    const char *text = g_getenv(CX_HDF5_HELPER_VARIABLE);
    Server server = {0};

    if (text == NULL)
        return;
    server.fd = (int)g_ascii_strtoll(text, NULL, 10);
    g_unsetenv(CX_HDF5_HELPER_VARIABLE);
    limit_harm();
    while (serve_one(&server))
        ;
    _exit(0);
}
