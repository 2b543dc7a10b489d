/* Runs the test program itself again as another process.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/support/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void
cx_child_main(int argc, char **argv, CxChildFunc func)
{
    if (argc != 5 || strcmp(argv[1], "--child") != 0)
        return;
    _exit(func(argv[2], argv[3], (int)g_ascii_strtoll(argv[4], NULL, 10)));
}

CxChild
cx_child_start(const char *mode, const char *argument)
{
    int ends[2];

    g_assert_cmpint(pipe(ends), ==, 0);
    g_autofree char *number = g_strdup_printf("%d", ends[1]);
    char *const argv[] = {(char *)"test", (char *)"--child",
                          (char *)mode,   (char *)argument,
                          number,         NULL};
    pid_t pid = fork();

    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        close(ends[0]);
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    close(ends[1]);
    return (CxChild){pid, ends[0]};
}

int
cx_child_wait(CxChild *child)
{
    int status;

    while (waitpid(child->pid, &status, 0) < 0)
        g_assert_cmpint(errno, ==, EINTR);
    close(child->pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void
cx_child_kill(CxChild *child)
{
    kill(child->pid, SIGKILL);
    cx_child_wait(child);
}

bool
cx_child_read(CxChild *child, void *report, size_t n_bytes)
{
    size_t done = 0;

    while (done < n_bytes) {
        gssize n = read(child->pipe, (char *)report + done, n_bytes - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

bool
cx_child_report(int pipe, const void *report, size_t n_bytes)
{
    return write(pipe, report, n_bytes) == (gssize)n_bytes;
}
