/* Shader programs from the compiled-in GLSL of shaders/.
 *
 * Sources carry no #version line: it is added here for desktop GL 3.3 or
 * GLES 3.0, whichever is current, followed by shaders/common.glsl.  GL
 * context current in every call.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <epoxy/gl.h>
#include <glib.h>

/* vertex, fragment: "slice.vert", "slice.frag".  defines: names, separated by
 * blanks, to #define in both, or NULL.  0 with an error that names the file and
 * quotes the driver (CX_ERROR_FORMAT), or says that GL is too old. */
GLuint cxgl_program_new(const char *vertex, const char *fragment,
                        const char *defines, GError **error);

/* Short forms that look the uniform up; unknown names are ignored, as a
 * compiler may have dropped them. */
GLint cxgl_uniform(GLuint program, const char *name);
