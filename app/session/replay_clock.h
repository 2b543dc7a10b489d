/* One time for everything on a page: a frame number that plays, steps, seeks.
 *
 * A frame is 10 ms of stimulus.  Playing, it advances by itself on the main
 * loop, `speed` times as fast as the stimulus was: at 1 a second of stimulus
 * takes a second, slower speeds show every frame longer.  At the end it stops,
 * or begins again when it loops.  Frames may be skipped, never shown late.
 * Main thread.
 *
 * Properties, all notified: frame, n-frames (uint), playing, loop (boolean),
 * speed (double, 0.01 … 4).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib-object.h>
#include <stdbool.h>
#include <stdint.h>

#define CXUI_REPLAY_FRAME_US 10000

#define CXUI_TYPE_REPLAY_CLOCK (cxui_replay_clock_get_type())
G_DECLARE_FINAL_TYPE(CxuiReplayClock, cxui_replay_clock, CXUI, REPLAY_CLOCK,
                     GObject)

CxuiReplayClock *cxui_replay_clock_new(void);

/* Keeps the frame if it still exists, else goes to the last one; 0 stops. */
void cxui_replay_clock_set_n_frames(CxuiReplayClock *self, unsigned n);
unsigned cxui_replay_clock_n_frames(CxuiReplayClock *self);

unsigned cxui_replay_clock_frame(CxuiReplayClock *self);

/* Cut to the frames there are; goes on playing from there. */
void cxui_replay_clock_seek(CxuiReplayClock *self, unsigned frame);

/* Stops, and moves by so many frames; over an end when it loops. */
void cxui_replay_clock_step(CxuiReplayClock *self, int frames);

/* From the end it begins at the start. */
void cxui_replay_clock_set_playing(CxuiReplayClock *self, bool playing);
bool cxui_replay_clock_is_playing(CxuiReplayClock *self);
void cxui_replay_clock_set_loop(CxuiReplayClock *self, bool loop);
bool cxui_replay_clock_loops(CxuiReplayClock *self);
void cxui_replay_clock_set_speed(CxuiReplayClock *self, double speed);
double cxui_replay_clock_speed(CxuiReplayClock *self);

/* It is now_us (monotonic): what the main loop calls while it plays. */
void cxui_replay_clock_advance(CxuiReplayClock *self, int64_t now_us);
