/* Labels on disk while they are made.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/label_store.h"

#include "core/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

struct CxcliLabelStore {
    int fd;
    CxBox box;
    char *folder;
};

CxcliLabelStore *
cxcli_label_store_new(const char *beside, CxBox box, GError **error)
{
    g_autoptr(CxcliLabelStore) store = g_new0(CxcliLabelStore, 1);
    size_t n;

    store->box = box;
    store->folder = g_path_get_dirname(beside);
    g_autofree char *name =
        g_build_filename(store->folder, ".connexon-labels-XXXXXX", NULL);
    store->fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (store->fd < 0) {
        cx_error_set_errno(error, errno, "cannot write to the folder %s",
                           store->folder);
        return NULL;
    }
    g_unlink(name);
    if (!cx_box_n_voxels(box, &n) || n > G_MAXINT64 / sizeof(CxId) ||
        ftruncate(store->fd, (int64_t)(n * sizeof(CxId))) != 0) {
        cx_error_set_errno(error, errno, "cannot write to the folder %s",
                           store->folder);
        return NULL;
    }
    return g_steal_pointer(&store);
}

void
cxcli_label_store_free(CxcliLabelStore *store)
{
    if (store->fd >= 0)
        close(store->fd);
    g_free(store->folder);
    g_free(store);
}

/* All of n bytes at a place. */
static bool
write_at(CxcliLabelStore *store, const void *bytes, size_t n, size_t at,
         GError **error)
{
    const char *from = bytes;

    while (n > 0) {
        int64_t done = pwrite(store->fd, from, n, (int64_t)at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            cx_error_set_errno(error, done < 0 ? errno : EIO,
                               "cannot write to the folder %s", store->folder);
            return false;
        }
        from += done;
        at += (size_t)done;
        n -= (size_t)done;
    }
    return true;
}

static bool
read_at(CxcliLabelStore *store, void *bytes, size_t n, size_t at,
        GError **error)
{
    char *to = bytes;

    while (n > 0) {
        int64_t done = pread(store->fd, to, n, (int64_t)at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            cx_error_set_errno(error, done < 0 ? errno : EIO,
                               "cannot read back from the folder %s",
                               store->folder);
            return false;
        }
        to += done;
        at += (size_t)done;
        n -= (size_t)done;
    }
    return true;
}

bool
cxcli_label_store_put(CxcliLabelStore *store, const CxChunk *labels,
                      GError **error)
{
    CxBox part = cx_box_intersect(store->box, cx_chunk_box(labels));
    const CxId *from = cx_chunk_data(labels);
    size_t row_bytes = (size_t)(part.hi.x - part.lo.x) * sizeof(CxId);

    if (cx_box_is_empty(part))
        return true;
    for (int64_t z = part.lo.z; z < part.hi.z; z++)
        for (int64_t y = part.lo.y; y < part.hi.y; y++) {
            CxVoxel row = {part.lo.x, y, z};
            size_t at = cx_box_offset(store->box, row) * sizeof(CxId);

            if (!write_at(store,
                          from + cx_box_offset(cx_chunk_box(labels), row),
                          row_bytes, at, error))
                return false;
        }
    return true;
}

CxChunk *
cxcli_label_store_get(CxcliLabelStore *store, int64_t z, int64_t n_z,
                      GError **error)
{
    CxBox box = store->box;

    box.lo.z = z;
    box.hi.z = z + n_z;
    g_autoptr(CxChunk) slab = cx_chunk_new(CX_DTYPE_U64, box, 1, error);
    if (slab == NULL)
        return NULL;
    size_t at = cx_box_offset(store->box, box.lo) * sizeof(CxId);
    if (!read_at(store, cx_chunk_data_mut(slab), cx_chunk_size_bytes(slab), at,
                 error))
        return NULL;
    return g_steal_pointer(&slab);
}
