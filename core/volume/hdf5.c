/* HDF5 data sets, read by helper processes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/hdf5.h"

#include "core/base/error.h"
#include "core/volume/hdf5_local.h"
#include "core/volume/hdf5_protocol.h"
#include "core/volume/reader_util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER_FD 3
#define MAX_HELPERS 4
#define POLL_MS 50

typedef struct {
    pid_t pid;
    int fd;
} Helper;

typedef struct {
    char *path;
    char *dataset; /* or NULL */
    CxVolumeInfo info;
    void *local; /* where no process could be started */

    GMutex lock; /* guards all that follows */
    GCond freed;
    GPtrArray *idle; /* Helper */
    unsigned n_helpers;
} Hdf5Volume;

static void
helper_free(Helper *helper)
{
    if (helper == NULL)
        return;
    close(helper->fd);
    kill(helper->pid, SIGKILL);
    while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    g_free(helper);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Helper, helper_free)

/* This program once more, with its end of the socket as HELPER_FD. */
static bool
spawn(int socket_fd, pid_t *pid)
{
    static char *const arguments[] = {(char *)"connexon-hdf5", NULL};
    g_auto(GStrv) environment = g_environ_setenv(
        g_get_environ(), CX_HDF5_HELPER_VARIABLE, G_STRINGIFY(HELPER_FD), true);
    posix_spawn_file_actions_t actions;

    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd < HELPER_FD; fd++) /* its last words help nobody */
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, socket_fd, HELPER_FD);
    posix_spawn_file_actions_addclosefrom_np(&actions, HELPER_FD + 1);
    int failed = posix_spawn(pid, "/proc/self/exe", &actions, NULL, arguments,
                             environment);
    posix_spawn_file_actions_destroy(&actions);
    return failed == 0;
}

static Helper *
helper_new(void)
{
    Helper *helper = g_new0(Helper, 1);
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        g_free(helper);
        return NULL;
    }
    /* dup2() to the same number would keep its close-on-exec flag */
    if (pair[1] == HELPER_FD) {
        int moved = pair[0];

        pair[0] = pair[1];
        pair[1] = moved;
    }
    helper->fd = pair[0];
    bool ok = spawn(pair[1], &helper->pid);
    close(pair[1]);
    if (ok)
        return helper;
    close(pair[0]);
    g_free(helper);
    return NULL;
}

static bool
fail_dead(const char *where, GError **error)
{
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: the HDF5 library crashed or hung on this file, which is "
                "damaged",
                where);
    return false;
}

/* Waits for the helper's next bytes; false if the job is to stop. */
static bool
wait_for(const Helper *helper, CxJob *job, GError **error)
{
    struct pollfd entry = {.fd = helper->fd, .events = POLLIN};

    while (poll(&entry, 1, POLL_MS) <= 0) {
        if (cx_job_is_cancelled(job))
            return cx_job_step(job, 0, 1, error);
    }
    return true;
}

/* Receives in parts, so that a cancelled job need not wait for all. */
static bool
receive(const Helper *helper, void *bytes, size_t n, const char *where,
        CxJob *job, GError **error)
{
    while (n > 0) {
        size_t part = MIN(n, (size_t)1 << 20);

        if (!wait_for(helper, job, error))
            return false;
        if (!cx_hdf5_receive(helper->fd, bytes, part))
            return fail_dead(where, error);
        bytes = (uint8_t *)bytes + part;
        n -= part;
    }
    return true;
}

/* Text from the helper, made fit for people; NULL on failure. */
static char *
receive_text(const Helper *helper, size_t length, const char *where, CxJob *job,
             GError **error)
{
    g_autofree char *text = g_malloc0(length + 1);

    if (!receive(helper, text, length, where, job, error))
        return NULL;
    return g_utf8_make_valid(text, -1);
}

/* True if the request went well; else the helper's error or its death. */
static bool
receive_reply(const Helper *helper, const char *where, CxHdf5Reply *reply,
              CxJob *job, GError **error)
{
    if (!receive(helper, reply, sizeof *reply, where, job, error))
        return false;
    if (reply->ok)
        return true;
    if (reply->text_length > CX_HDF5_MAX_TEXT || reply->code < 0 ||
        reply->code > CX_ERROR_CANCELLED)
        return fail_dead(where, error);
    g_autofree char *text =
        receive_text(helper, reply->text_length, where, job, error);
    if (text != NULL)
        g_set_error_literal(error, CX_ERROR, reply->code, text);
    return false;
}

static bool
send_request(const Helper *helper, CxHdf5Operation operation, const char *path,
             const char *dataset, CxBox box)
{
    CxHdf5Request request = {
        .operation = operation,
        .path_length = (uint32_t)strlen(path),
        .dataset_length =
            dataset != NULL ? (uint32_t)strlen(dataset) : UINT32_MAX,
        .box = box,
    };

    return cx_hdf5_send(helper->fd, &request, sizeof request) &&
           cx_hdf5_send(helper->fd, path, strlen(path)) &&
           (dataset == NULL ||
            cx_hdf5_send(helper->fd, dataset, strlen(dataset)));
}

/* Numbers from a helper that may have been taken over. */
static bool
is_plausible(const CxVolumeInfo *info, const char *where)
{
    const CxLevel *level = &info->levels[0];

    return info->n_levels == 1 && info->n_channels >= 1 &&
           info->n_channels <= 4096 && (unsigned)info->dtype <= CX_DTYPE_F64 &&
           cx_reader_check_size(where, level->size, info->dtype,
                                info->n_channels, NULL) &&
           level->chunk_size.x >= 1 && level->chunk_size.y >= 1 &&
           level->chunk_size.z >= 1 && level->chunk_size.x <= level->size.x &&
           level->chunk_size.y <= level->size.y &&
           level->chunk_size.z <= level->size.z;
}

/* A byte of another value than 0 and 1 must not be used as a bool. */
static void
make_bool(bool *flag)
{
    uint8_t byte;

    memcpy(&byte, flag, 1);
    *flag = byte != 0;
}

/* A new helper that has the data set open. */
static Helper *
open_helper(const char *path, const char *dataset, CxVolumeInfo *info,
            CxJob *job, GError **error)
{
    g_autoptr(Helper) helper = helper_new();
    CxHdf5Reply reply;

    if (helper == NULL)
        return NULL;
    if (!send_request(helper, CX_HDF5_OPEN, path, dataset, (CxBox){0})) {
        fail_dead(path, error);
        return NULL;
    }
    if (!receive_reply(helper, path, &reply, job, error) ||
        !receive(helper, info, sizeof *info, path, job, error))
        return NULL;
    make_bool(&info->has_voxel_size);
    make_bool(&info->is_labels);
    make_bool(&info->has_display_range);
    if (!is_plausible(info, path)) {
        fail_dead(path, error);
        return NULL;
    }
    return g_steal_pointer(&helper);
}

static void
free_volume(void *data)
{
    Hdf5Volume *self = data;

    if (self->local != NULL)
        cx_hdf5_local_reader.free(self->local);
    g_ptr_array_unref(self->idle);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->freed);
    g_free(self->path);
    g_free(self->dataset);
    g_free(self);
}

static void *
open_volume(const char *path, const char *dataset, CxVolumeInfo *info,
            CxJob *job, GError **error)
{
    Hdf5Volume *self = g_new0(Hdf5Volume, 1);
    GError *local = NULL;

    self->path = g_strdup(path);
    self->dataset = g_strdup(dataset);
    self->idle = g_ptr_array_new_with_free_func((GDestroyNotify)helper_free);
    g_mutex_init(&self->lock);
    g_cond_init(&self->freed);
    Helper *helper = open_helper(path, dataset, info, job, &local);
    if (helper != NULL) {
        self->n_helpers = 1;
        g_ptr_array_add(self->idle, helper);
    } else if (local == NULL) {
        self->local =
            cx_hdf5_local_reader.open(path, dataset, info, job, &local);
    }
    self->info = *info;
    if (local == NULL)
        return self;
    g_propagate_error(error, local);
    free_volume(self);
    return NULL;
}

/* An idle helper, a new one if all are busy, or the first that gets free. */
static Helper *
borrow(Hdf5Volume *self, CxJob *job, GError **error)
{
    Helper *helper = NULL;
    CxVolumeInfo info;

    g_mutex_lock(&self->lock);
    while (self->idle->len == 0 && self->n_helpers >= MAX_HELPERS)
        g_cond_wait(&self->freed, &self->lock);
    if (self->idle->len > 0)
        helper = g_ptr_array_steal_index(self->idle, self->idle->len - 1);
    else
        self->n_helpers++;
    g_mutex_unlock(&self->lock);
    if (helper != NULL)
        return helper;

    GError *local = NULL;
    helper = open_helper(self->path, self->dataset, &info, job, &local);
    if (helper != NULL &&
        cx_voxel_equal(info.levels[0].size, self->info.levels[0].size) &&
        info.dtype == self->info.dtype &&
        info.n_channels == self->info.n_channels)
        return helper;
    if (local == NULL)
        g_set_error(&local, CX_ERROR, CX_ERROR_IO,
                    helper != NULL
                        ? "%s: the file has changed since it was opened"
                        : "%s: no process could be started to read it",
                    self->path);
    helper_free(helper);
    g_propagate_error(error, local);
    g_mutex_lock(&self->lock);
    self->n_helpers--;
    g_cond_signal(&self->freed);
    g_mutex_unlock(&self->lock);
    return NULL;
}

/* After a failure a helper is of no use: it may be in the middle of a reply.
 */
static void
give_back(Hdf5Volume *self, Helper *helper, bool is_sound)
{
    g_mutex_lock(&self->lock);
    if (is_sound)
        g_ptr_array_add(self->idle, helper);
    else
        self->n_helpers--;
    g_cond_signal(&self->freed);
    g_mutex_unlock(&self->lock);
    if (!is_sound)
        helper_free(helper);
}

/* One piece: its samples, channel by channel, to their places in dst. */
static bool
receive_piece(const Hdf5Volume *self, const Helper *helper, CxBox piece,
              CxChunk *dst, CxJob *job, GError **error)
{
    size_t sample = cx_dtype_size_bytes(self->info.dtype), n = 0;
    CxBox box = cx_chunk_box(dst);

    cx_box_n_voxels(piece, &n);
    for (unsigned c = 0; c < self->info.n_channels; c++) {
        uint8_t *to = (uint8_t *)cx_chunk_data_mut(dst) +
                      ((size_t)c * cx_chunk_n_voxels(dst) +
                       cx_box_offset(box, piece.lo)) *
                          sample;

        if (!receive(helper, to, n * sample, self->path, job, error))
            return false;
    }
    return true;
}

static bool
read_with(const Hdf5Volume *self, const Helper *helper, CxBox box, CxChunk *dst,
          CxJob *job, GError **error)
{
    int64_t depth = cx_hdf5_piece_depth(cx_box_size(box));
    CxHdf5Reply reply;

    if (!send_request(helper, CX_HDF5_READ, "", NULL, box))
        return fail_dead(self->path, error);
    for (int64_t z = box.lo.z; z < box.hi.z; z += depth) {
        CxBox piece = box;

        piece.lo.z = z;
        piece.hi.z = MIN(z + depth, box.hi.z);
        if (!receive_reply(helper, self->path, &reply, job, error) ||
            !receive_piece(self, helper, piece, dst, job, error))
            return false;
    }
    return true;
}

static bool
read_box(void *data, unsigned level, CxBox box, CxChunk *dst, CxJob *job,
         GError **error)
{
    Hdf5Volume *self = data;

    if (self->local != NULL)
        return cx_hdf5_local_reader.read(self->local, level, box, dst, job,
                                         error);
    Helper *helper = borrow(self, job, error);
    if (helper == NULL)
        return false;
    bool ok = read_with(self, helper, box, dst, job, error);
    give_back(self, helper, ok);
    return ok;
}

static bool
receive_item(const Helper *helper, const char *path, GPtrArray *list,
             GError **error)
{
    CxHdf5Item item;

    if (!receive(helper, &item, sizeof item, path, NULL, error))
        return false;
    if (item.path_length > CX_HDF5_MAX_TEXT ||
        (unsigned)item.dtype > CX_DTYPE_F64 ||
        !cx_reader_check_size(path, item.size, item.dtype, 1, NULL))
        return fail_dead(path, error);
    g_autofree char *name =
        receive_text(helper, item.path_length, path, NULL, error);
    if (name == NULL)
        return false;
    g_ptr_array_add(list, cx_dataset_info_new(name, item.size, item.dtype,
                                              item.is_labels != 0));
    return true;
}

static GPtrArray *
list(const char *path, GError **error)
{
    g_autoptr(Helper) helper = helper_new();
    CxHdf5Reply reply;

    if (helper == NULL)
        return cx_hdf5_local_reader.list(path, error);
    if (!send_request(helper, CX_HDF5_LIST, path, NULL, (CxBox){0})) {
        fail_dead(path, error);
        return NULL;
    }
    if (!receive_reply(helper, path, &reply, NULL, error))
        return NULL;
    if (reply.n_items > CX_HDF5_MAX_LISTED) {
        fail_dead(path, error);
        return NULL;
    }
    g_autoptr(GPtrArray) found =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_dataset_info_free);
    for (uint32_t i = 0; i < reply.n_items; i++) {
        if (!receive_item(helper, path, found, error))
            return NULL;
    }
    return g_steal_pointer(&found);
}

static bool
probe(const char *path)
{
    return cx_hdf5_local_reader.probe(path);
}

const CxReader cx_hdf5_reader = {
    .name = "hdf5",
    .probe = probe,
    .open = open_volume,
    .list = list,
    .read = read_box,
    .free = free_volume,
};
