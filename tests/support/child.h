/* Runs the test program itself again as another process, to be killed, to
 * lose its rights or to hold a lock.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The work of the child: mode and argument as given to cx_child_start(),
 * `pipe` to write reports to.  Its result is the exit code. */
typedef int (*CxChildFunc)(const char *mode, const char *argument, int pipe);

/* Call first in main(): does not return in the child. */
void cx_child_main(int argc, char **argv, CxChildFunc func);

typedef struct {
    pid_t pid;
    int pipe; /* reports of the child */
} CxChild;

CxChild cx_child_start(const char *mode, const char *argument);

/* kill -9, and waits until it is gone. */
void cx_child_kill(CxChild *child);

/* Waits for its end; its exit code, or -1 if it was killed. */
int cx_child_wait(CxChild *child);

/* Reads a whole report; false at the end of the pipe. */
bool cx_child_read(CxChild *child, void *report, size_t n_bytes);
bool cx_child_report(int pipe, const void *report, size_t n_bytes);
