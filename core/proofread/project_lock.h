/* One process at a time may change a project.
 *
 * An advisory lock (flock) on name.connexon.lock, which names the owner's
 * process and machine.  The system drops the lock when the owner ends however
 * it ends, so a file left behind by a crash blocks nobody.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct CxProjectLock CxProjectLock;

/* CX_ERROR_BUSY names the owner; CX_ERROR_READ_ONLY if the folder may not be
 * written. */
CxProjectLock *cx_project_lock_take(const char *project_path, GError **error);

/* Gives the lock back and removes its file. */
void cx_project_lock_free(CxProjectLock *lock);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxProjectLock, cx_project_lock_free)
