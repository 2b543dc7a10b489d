/* Textures and framebuffers that know their format and size.
 *
 * GL context current in every call.  Zeroed structs are valid and empty.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <epoxy/gl.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
    CXGL_FORMAT_R8,
    CXGL_FORMAT_R32UI,
    CXGL_FORMAT_RG32UI,
    CXGL_FORMAT_RGBA32UI,
    CXGL_FORMAT_RGBA8,
    CXGL_FORMAT_DEPTH24,
} CxglFormat;

typedef struct {
    GLuint name;
    CxglFormat format;
    int width, height;
} CxglTexture;

size_t cxgl_format_texel_bytes(CxglFormat format);

/* Makes (or remakes, when format or size differ) storage; content is
 * undefined.  repeat: GL_REPEAT instead of clamping to the edge. */
void cxgl_texture_resize(CxglTexture *texture, CxglFormat format, int width,
                         int height, bool repeat);

/* Integer formats stay nearest. */
void cxgl_texture_set_smooth(CxglTexture *texture, bool smooth);

/* Dense rows of texels, straight from memory. */
void cxgl_texture_upload(CxglTexture *texture, int x, int y, int width,
                         int height, const void *texels);
void cxgl_texture_clear(CxglTexture *texture);
size_t cxgl_texture_size_bytes(const CxglTexture *texture);

/* A framebuffer: colour texture of any renderable format, depth texture; with
 * samples > 0 both are renderbuffers to be resolved. */
typedef struct {
    GLuint name;
    CxglTexture colour, depth;
    GLuint colour_buffer, depth_buffer;
    int width, height;
    unsigned samples;
} CxglTarget;

/* False with CX_ERROR_INVALID if GL refuses the combination. */
bool cxgl_target_resize(CxglTarget *target, CxglFormat format, bool with_depth,
                        int width, int height, unsigned samples,
                        GError **error);
void cxgl_target_clear(CxglTarget *target);
