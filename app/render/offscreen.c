/* GL without a window; see offscreen.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/offscreen.h"

#include "app/render/gl_texture.h"
#include "core/base/error.h"

#include <epoxy/egl.h>
#include <string.h>

struct CxglOffscreen {
    EGLDisplay display;
    EGLContext context;
    CxglTarget target;
    char *renderer;
    unsigned n_errors;
};

static EGLDisplay
open_display(void)
{
    EGLDisplay display = EGL_NO_DISPLAY;

    if (epoxy_has_egl_extension(EGL_NO_DISPLAY, "EGL_EXT_platform_base") &&
        epoxy_has_egl_extension(EGL_NO_DISPLAY,
                                "EGL_MESA_platform_surfaceless"))
        display = eglGetPlatformDisplayEXT(EGL_PLATFORM_SURFACELESS_MESA,
                                           EGL_DEFAULT_DISPLAY, NULL);
    if (display != EGL_NO_DISPLAY && eglInitialize(display, NULL, NULL))
        return display;
    display = eglGetDisplay(EGL_DEFAULT_DISPLAY);
    if (display != EGL_NO_DISPLAY && eglInitialize(display, NULL, NULL))
        return display;
    return EGL_NO_DISPLAY;
}

static EGLContext
open_context(EGLDisplay display)
{
    static const EGLint config_attributes[] = {EGL_RENDERABLE_TYPE,
                                               EGL_OPENGL_BIT, EGL_SURFACE_TYPE,
                                               EGL_DONT_CARE, EGL_NONE};
    static const EGLint context_attributes[] = {
        EGL_CONTEXT_MAJOR_VERSION,
        3,
        EGL_CONTEXT_MINOR_VERSION,
        3,
        EGL_CONTEXT_OPENGL_PROFILE_MASK,
        EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT,
        EGL_NONE};
    EGLConfig config;
    EGLint n_configs = 0;

    if (!eglBindAPI(EGL_OPENGL_API) ||
        !eglChooseConfig(display, config_attributes, &config, 1, &n_configs) ||
        n_configs == 0)
        return EGL_NO_CONTEXT;
    return eglCreateContext(display, config, EGL_NO_CONTEXT,
                            context_attributes);
}

static void
on_message(GLenum source, GLenum type, GLuint id, GLenum severity,
           GLsizei length, const GLchar *message, const void *data)
{
    CxglOffscreen *self = (CxglOffscreen *)data;

    if (type != GL_DEBUG_TYPE_ERROR && type != GL_DEBUG_TYPE_UNDEFINED_BEHAVIOR)
        return;
    self->n_errors++;
    g_warning("GL: %.*s", (int)length, message);
}

static void
watch_errors(CxglOffscreen *self)
{
    if (!epoxy_has_gl_extension("GL_KHR_debug"))
        return;
    glEnable(GL_DEBUG_OUTPUT);
    glEnable(GL_DEBUG_OUTPUT_SYNCHRONOUS);
    glDebugMessageCallback(on_message, self);
}

CxglOffscreen *
cxgl_offscreen_new(int width, int height, GError **error)
{
    g_autoptr(CxglOffscreen) self = g_new0(CxglOffscreen, 1);

    self->display = open_display();
    if (self->display == EGL_NO_DISPLAY) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "no EGL display for drawing without a window (error "
                    "0x%x); a Mesa or vendor libEGL is needed",
                    (unsigned)eglGetError());
        return NULL;
    }
    self->context = open_context(self->display);
    if (self->context == EGL_NO_CONTEXT ||
        !eglMakeCurrent(self->display, EGL_NO_SURFACE, EGL_NO_SURFACE,
                        self->context)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "no OpenGL 3.3 core context without a window from %s (EGL "
                    "error 0x%x)",
                    eglQueryString(self->display, EGL_VENDOR),
                    (unsigned)eglGetError());
        return NULL;
    }
    watch_errors(self);
    self->renderer = g_strdup((const char *)glGetString(GL_RENDERER));
    if (!cxgl_offscreen_resize(self, width, height, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
cxgl_offscreen_free(CxglOffscreen *self)
{
    if (self == NULL)
        return;
    if (self->context != EGL_NO_CONTEXT) {
        eglMakeCurrent(self->display, EGL_NO_SURFACE, EGL_NO_SURFACE,
                       self->context);
        cxgl_target_clear(&self->target);
        eglMakeCurrent(self->display, EGL_NO_SURFACE, EGL_NO_SURFACE,
                       EGL_NO_CONTEXT);
        eglDestroyContext(self->display, self->context);
    }
    g_free(self->renderer);
    g_free(self);
}

bool
cxgl_offscreen_resize(CxglOffscreen *self, int width, int height,
                      GError **error)
{
    GLint largest = 0;

    glGetIntegerv(GL_MAX_RENDERBUFFER_SIZE, &largest);
    if (width < 1 || height < 1 || width > largest || height > largest) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a picture of %d × %d pixels is not possible: sides must "
                    "lie between 1 and %d",
                    width, height, largest);
        return false;
    }
    if (!cxgl_target_resize(&self->target, CXGL_FORMAT_RGBA8, true, width,
                            height, 0, error))
        return false;
    glViewport(0, 0, width, height);
    return true;
}

void
cxgl_offscreen_bind(CxglOffscreen *self)
{
    eglMakeCurrent(self->display, EGL_NO_SURFACE, EGL_NO_SURFACE,
                   self->context);
    glBindFramebuffer(GL_FRAMEBUFFER, self->target.name);
    glViewport(0, 0, self->target.width, self->target.height);
}

const char *
cxgl_offscreen_renderer(const CxglOffscreen *self)
{
    return self->renderer;
}

uint8_t *
cxgl_offscreen_read(CxglOffscreen *self)
{
    size_t row_bytes = 4 * (size_t)self->target.width;
    size_t n_rows = (size_t)self->target.height;
    uint8_t *pixels = g_malloc(row_bytes * n_rows);
    g_autofree uint8_t *spare = g_malloc(row_bytes);

    cxgl_offscreen_bind(self);
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadPixels(0, 0, self->target.width, self->target.height, GL_RGBA,
                 GL_UNSIGNED_BYTE, pixels);
    for (size_t y = 0; y < n_rows / 2; y++) {
        uint8_t *a = pixels + y * row_bytes;
        uint8_t *b = pixels + (n_rows - 1 - y) * row_bytes;

        memcpy(spare, a, row_bytes);
        memcpy(a, b, row_bytes);
        memcpy(b, spare, row_bytes);
    }
    return pixels;
}

unsigned
cxgl_offscreen_n_errors(CxglOffscreen *self)
{
    GLenum code;

    while ((code = glGetError()) != GL_NO_ERROR) {
        self->n_errors++;
        g_warning("GL: error 0x%x", code);
    }
    return self->n_errors;
}
