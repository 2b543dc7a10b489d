/* One process at a time may change a project.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/project_lock.h"

#include "core/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct CxProjectLock {
    char *path;
    int fd;
};

void
cx_project_lock_free(CxProjectLock *lock)
{
    if (lock == NULL)
        return;
    /* Removed while still held: whoever opened the old file meanwhile sees
     * that it is gone and tries again. */
    unlink(lock->path);
    close(lock->fd);
    g_free(lock->path);
    g_free(lock);
}

/* True if the file behind fd is still the one that the path names. */
static bool
is_current(int fd, const char *path)
{
    struct stat by_fd, by_path;

    return fstat(fd, &by_fd) == 0 && stat(path, &by_path) == 0 &&
           by_fd.st_ino == by_path.st_ino && by_fd.st_dev == by_path.st_dev;
}

static void
set_busy(GError **error, int fd, const char *project_path)
{
    char owner[256] = "";
    gssize n = pread(fd, owner, sizeof owner - 1, 0);

    if (n > 0)
        owner[strcspn(owner, "\n")] = '\0';
    g_set_error(error, CX_ERROR, CX_ERROR_BUSY,
                "%s is open for editing in %s; close it there or open it "
                "read-only here",
                project_path, owner[0] != '\0' ? owner : "another program");
}

/* What is in the file is for people; that it cannot be written (full disk)
 * changes nothing about who holds the lock. */
static void
write_owner(int fd)
{
    g_autofree char *owner =
        g_strdup_printf("process %d on %s\n", (int)getpid(), g_get_host_name());

    if (ftruncate(fd, 0) != 0 || pwrite(fd, owner, strlen(owner), 0) < 0)
        g_debug("cannot write the owner of a project: %s", g_strerror(errno));
}

/* The locked file; -1 with error, or -1 without one to try again. */
static int
try_lock(const char *path, const char *project_path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0) {
        cx_error_set_errno(error, errno, "cannot lock %s", project_path);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            set_busy(error, fd, project_path);
        else
            cx_error_set_errno(error, errno, "cannot lock %s", project_path);
        close(fd);
        return -1;
    }
    if (!is_current(fd, path)) {
        close(fd);
        return -1;
    }
    write_owner(fd);
    return fd;
}

CxProjectLock *
cx_project_lock_take(const char *project_path, GError **error)
{
    g_autofree char *path = g_strconcat(project_path, ".lock", NULL);
    GError *reason = NULL;
    int fd = -1;

    for (int i = 0; i < 100 && fd < 0 && reason == NULL; i++)
        fd = try_lock(path, project_path, &reason);
    if (fd < 0) {
        if (reason == NULL)
            g_set_error(&reason, CX_ERROR, CX_ERROR_BUSY,
                        "%s is being opened and closed by another program",
                        project_path);
        g_propagate_error(error, reason);
        return NULL;
    }
    CxProjectLock *lock = g_new0(CxProjectLock, 1);

    lock->path = g_steal_pointer(&path);
    lock->fd = fd;
    return lock;
}
