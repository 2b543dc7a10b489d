/* GL without a window: for pictures on the command line and for tests.
 *
 * EGL on Mesa's surfaceless platform, else on the default display; core
 * profile 3.3.  No environment variable and no display is needed.  A context
 * belongs to the thread that made it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct CxglOffscreen CxglOffscreen;

/* Makes a context with a framebuffer of that size (RGBA8) and makes it
 * current.  CX_ERROR_NOT_FOUND with what is missing if there is no GL 3.3. */
CxglOffscreen *cxgl_offscreen_new(int width, int height, GError **error);
void cxgl_offscreen_free(CxglOffscreen *offscreen);

bool cxgl_offscreen_resize(CxglOffscreen *offscreen, int width, int height,
                           GError **error);

/* Makes the context current and binds the framebuffer and viewport. */
void cxgl_offscreen_bind(CxglOffscreen *offscreen);

/* GL_RENDERER, e.g. "llvmpipe (LLVM 15.0.6, 256 bits)". */
const char *cxgl_offscreen_renderer(const CxglOffscreen *offscreen);

/* Pixels, 4 bytes each, top row first; g_free() them. */
uint8_t *cxgl_offscreen_read(CxglOffscreen *offscreen);

/* Number of errors that GL reported so far: glGetError() and, where there is
 * KHR_debug, its messages; texts go to g_warning(). */
unsigned cxgl_offscreen_n_errors(CxglOffscreen *offscreen);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxglOffscreen, cxgl_offscreen_free)
