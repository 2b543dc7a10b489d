/* One time for everything on a page.
 *
 * While it plays, the frame follows from the time since `start_us`, at which
 * it was at `start_frame`: errors do not add up.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/replay_clock.h"

#include <math.h>

/* Once a picture of a screen of 60 Hz. */
#define TICK_MS 16

struct _CxuiReplayClock {
    GObject parent;
    unsigned frame, n_frames;
    bool playing, loop;
    double speed;
    double start_frame;
    int64_t start_us;
    guint tick;
};

enum {
    PROP_FRAME = 1,
    PROP_N_FRAMES,
    PROP_PLAYING,
    PROP_LOOP,
    PROP_SPEED,
    N_PROPERTIES,
};

static GParamSpec *specs[N_PROPERTIES];

G_DEFINE_FINAL_TYPE(CxuiReplayClock, cxui_replay_clock, G_TYPE_OBJECT)

static void
notify(CxuiReplayClock *self, guint id)
{
    g_object_notify_by_pspec(G_OBJECT(self), specs[id]);
}

static void
restart(CxuiReplayClock *self)
{
    self->start_frame = self->frame;
    self->start_us = g_get_monotonic_time();
}

static void
set_frame(CxuiReplayClock *self, unsigned frame)
{
    if (frame == self->frame)
        return;
    self->frame = frame;
    notify(self, PROP_FRAME);
}

static gboolean
on_tick(void *data)
{
    cxui_replay_clock_advance(data, g_get_monotonic_time());
    return G_SOURCE_CONTINUE;
}

static void
set_playing(CxuiReplayClock *self, bool playing)
{
    if (playing == self->playing)
        return;
    self->playing = playing;
    if (playing)
        self->tick = g_timeout_add(TICK_MS, on_tick, self);
    else
        g_clear_handle_id(&self->tick, g_source_remove);
    notify(self, PROP_PLAYING);
}

void
cxui_replay_clock_set_n_frames(CxuiReplayClock *self, unsigned n)
{
    if (n == self->n_frames)
        return;
    self->n_frames = n;
    if (n == 0)
        set_playing(self, false);
    notify(self, PROP_N_FRAMES);
    if (self->frame >= n) {
        set_frame(self, n > 0 ? n - 1 : 0);
        restart(self);
    }
}

unsigned
cxui_replay_clock_n_frames(CxuiReplayClock *self)
{
    return self->n_frames;
}

unsigned
cxui_replay_clock_frame(CxuiReplayClock *self)
{
    return self->frame;
}

void
cxui_replay_clock_seek(CxuiReplayClock *self, unsigned frame)
{
    if (self->n_frames == 0)
        return;
    set_frame(self, MIN(frame, self->n_frames - 1));
    restart(self);
}

void
cxui_replay_clock_step(CxuiReplayClock *self, int frames)
{
    int64_t n = self->n_frames;
    int64_t to = (int64_t)self->frame + frames;

    if (n == 0)
        return;
    set_playing(self, false);
    if (self->loop)
        to = (to % n + n) % n;
    set_frame(self, (unsigned)CLAMP(to, 0, n - 1));
}

void
cxui_replay_clock_set_playing(CxuiReplayClock *self, bool playing)
{
    if (playing && self->n_frames < 2)
        return;
    if (playing && !self->playing && self->frame + 1 == self->n_frames)
        set_frame(self, 0);
    restart(self);
    set_playing(self, playing);
}

bool
cxui_replay_clock_is_playing(CxuiReplayClock *self)
{
    return self->playing;
}

void
cxui_replay_clock_set_loop(CxuiReplayClock *self, bool loop)
{
    if (loop == self->loop)
        return;
    self->loop = loop;
    notify(self, PROP_LOOP);
}

bool
cxui_replay_clock_loops(CxuiReplayClock *self)
{
    return self->loop;
}

void
cxui_replay_clock_set_speed(CxuiReplayClock *self, double speed)
{
    speed = CLAMP(speed, 0.01, 4.0);
    if (speed == self->speed)
        return;
    self->speed = speed;
    restart(self);
    notify(self, PROP_SPEED);
}

double
cxui_replay_clock_speed(CxuiReplayClock *self)
{
    return self->speed;
}

void
cxui_replay_clock_advance(CxuiReplayClock *self, int64_t now_us)
{
    if (!self->playing || now_us < self->start_us)
        return;
    double at = self->start_frame + (double)(now_us - self->start_us) *
                                        self->speed / CXUI_REPLAY_FRAME_US;
    double frame = floor(at + 1e-9);

    if (frame < self->n_frames) {
        set_frame(self, (unsigned)frame);
    } else if (self->loop) {
        set_frame(self, (unsigned)fmod(frame, self->n_frames));
    } else {
        set_frame(self, self->n_frames - 1);
        set_playing(self, false);
    }
}

CxuiReplayClock *
cxui_replay_clock_new(void)
{
    return g_object_new(CXUI_TYPE_REPLAY_CLOCK, NULL);
}

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    CxuiReplayClock *self = CXUI_REPLAY_CLOCK(object);

    switch (id) {
    case PROP_FRAME:
        g_value_set_uint(value, self->frame);
        break;
    case PROP_N_FRAMES:
        g_value_set_uint(value, self->n_frames);
        break;
    case PROP_PLAYING:
        g_value_set_boolean(value, self->playing);
        break;
    case PROP_LOOP:
        g_value_set_boolean(value, self->loop);
        break;
    case PROP_SPEED:
        g_value_set_double(value, self->speed);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void
set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    CxuiReplayClock *self = CXUI_REPLAY_CLOCK(object);

    switch (id) {
    case PROP_FRAME:
        cxui_replay_clock_seek(self, g_value_get_uint(value));
        break;
    case PROP_N_FRAMES:
        cxui_replay_clock_set_n_frames(self, g_value_get_uint(value));
        break;
    case PROP_PLAYING:
        cxui_replay_clock_set_playing(self, g_value_get_boolean(value));
        break;
    case PROP_LOOP:
        cxui_replay_clock_set_loop(self, g_value_get_boolean(value));
        break;
    case PROP_SPEED:
        cxui_replay_clock_set_speed(self, g_value_get_double(value));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void
finalize(GObject *object)
{
    g_clear_handle_id(&CXUI_REPLAY_CLOCK(object)->tick, g_source_remove);
    G_OBJECT_CLASS(cxui_replay_clock_parent_class)->finalize(object);
}

static void
cxui_replay_clock_class_init(CxuiReplayClockClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GParamFlags flags =
        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

    object_class->get_property = get_property;
    object_class->set_property = set_property;
    object_class->finalize = finalize;
    specs[PROP_FRAME] =
        g_param_spec_uint("frame", NULL, NULL, 0, G_MAXUINT, 0, flags);
    specs[PROP_N_FRAMES] =
        g_param_spec_uint("n-frames", NULL, NULL, 0, G_MAXUINT, 0, flags);
    specs[PROP_PLAYING] =
        g_param_spec_boolean("playing", NULL, NULL, FALSE, flags);
    specs[PROP_LOOP] = g_param_spec_boolean("loop", NULL, NULL, TRUE, flags);
    specs[PROP_SPEED] =
        g_param_spec_double("speed", NULL, NULL, 0.01, 4.0, 0.25, flags);
    g_object_class_install_properties(object_class, N_PROPERTIES, specs);
}

static void
cxui_replay_clock_init(CxuiReplayClock *self)
{
    self->loop = true;
    self->speed = 0.25;
}
