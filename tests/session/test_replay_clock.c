/* The replay clock: playing, looping, stepping, seeking.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/replay_clock.h"
#include "tests/support/check.h"

static CxuiReplayClock *
new_clock(unsigned n_frames, double speed, bool loop)
{
    CxuiReplayClock *clock = cxui_replay_clock_new();

    cxui_replay_clock_set_n_frames(clock, n_frames);
    cxui_replay_clock_set_speed(clock, speed);
    cxui_replay_clock_set_loop(clock, loop);
    return clock;
}

static void
count(GObject *object, GParamSpec *spec, gpointer data)
{
    ++*(unsigned *)data;
}

static void
test_step(void)
{
    g_autoptr(CxuiReplayClock) clock = new_clock(5, 1.0, false);
    unsigned n = 0;

    g_signal_connect(clock, "notify::frame", G_CALLBACK(count), &n);
    cxui_replay_clock_step(clock, -1);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), ==, 0);
    g_assert_cmpuint(n, ==, 0);
    cxui_replay_clock_step(clock, 3);
    cxui_replay_clock_step(clock, 3);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), ==, 4);
    g_assert_cmpuint(n, ==, 2);
    cxui_replay_clock_set_loop(clock, true);
    cxui_replay_clock_step(clock, 1);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), ==, 0);
    cxui_replay_clock_step(clock, -2);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), ==, 3);
}

/* The time it was started at is its own, so 1 frame is left to chance. */
static void
test_play(void)
{
    g_autoptr(CxuiReplayClock) clock = new_clock(100, 0.5, false);

    cxui_replay_clock_seek(clock, 10);
    cxui_replay_clock_set_playing(clock, true);
    int64_t now = g_get_monotonic_time();
    cxui_replay_clock_advance(clock, now + 400000);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), >=, 30);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), <=, 31);
    g_assert_true(cxui_replay_clock_is_playing(clock));
    cxui_replay_clock_advance(clock, now + 60000000);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), ==, 99);
    g_assert_false(cxui_replay_clock_is_playing(clock));

    /* from the end it begins again */
    cxui_replay_clock_set_playing(clock, true);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), ==, 0);
    cxui_replay_clock_step(clock, 1);
    g_assert_false(cxui_replay_clock_is_playing(clock));
}

static void
test_loop(void)
{
    g_autoptr(CxuiReplayClock) clock = new_clock(100, 1.0, true);

    cxui_replay_clock_set_playing(clock, true);
    cxui_replay_clock_advance(clock, g_get_monotonic_time() + 2500000);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), >=, 50);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), <=, 52);
    g_assert_true(cxui_replay_clock_is_playing(clock));
}

static void
test_sizes(void)
{
    g_autoptr(CxuiReplayClock) clock = new_clock(0, 1.0, true);

    cxui_replay_clock_set_playing(clock, true);
    g_assert_false(cxui_replay_clock_is_playing(clock));
    cxui_replay_clock_seek(clock, 7);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), ==, 0);
    cxui_replay_clock_set_n_frames(clock, 50);
    cxui_replay_clock_seek(clock, 700);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), ==, 49);
    cxui_replay_clock_set_n_frames(clock, 20);
    g_assert_cmpuint(cxui_replay_clock_frame(clock), ==, 19);
    cxui_replay_clock_set_speed(clock, 1e9);
    g_assert_cmpfloat(cxui_replay_clock_speed(clock), ==, 4.0);
}

static gboolean
stop(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void
test_main_loop(void)
{
    g_autoptr(CxuiReplayClock) clock = new_clock(100000, 1.0, false);
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    int64_t start = g_get_monotonic_time();

    cxui_replay_clock_set_playing(clock, true);
    g_timeout_add(300, stop, loop);
    g_main_loop_run(loop);
    double frames = (double)(g_get_monotonic_time() - start) / 1e4;
    g_assert_cmpuint(cxui_replay_clock_frame(clock), >=, 20);
    g_assert_cmpfloat(cxui_replay_clock_frame(clock), <=, frames);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/replay-clock/step", test_step);
    g_test_add_func("/replay-clock/play", test_play);
    g_test_add_func("/replay-clock/loop", test_loop);
    g_test_add_func("/replay-clock/sizes", test_sizes);
    g_test_add_func("/replay-clock/main-loop", test_main_loop);
    return g_test_run();
}
