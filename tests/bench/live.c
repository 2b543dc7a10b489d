/* Time from a step to the live prediction of the field on the screen, in the
 * real window, at its frame clock.
 *
 * live FILE MODEL [N]: opens FILE in a window with the xy pane alone, one voxel
 * a pixel, and prints one JSON object.  Three ways to move, N times each:
 * "jump", to a section when nothing is known of any other; "step", one section
 * on after a pause, as a reader does; "wheel", ten sections a second, whatever
 * is ready.  "frame" is the first picture of the image.  Runs under
 * tests/views/ui_run.sh; see README.md.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/window_private.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#define PAUSE_MS 400
#define WHEEL_MS 100
#define GIVE_UP_S 240

/* Of the window: the pane is a little larger than 1024 × 1024. */
#define WIDTH 1120
#define HEIGHT 1140

typedef enum { JUMP, STEP, WHEEL, N_WAYS } Way;
static const char *const way_names[N_WAYS] = {"jump", "step", "wheel"};

/* Parts of a jump: by the clock until a thread starts, while threads work, and
 * from then to the frame; in processor time the network on all threads, cutting
 * its output into tiles, this thread in all, and the pane's last frame. */
typedef enum { BEFORE, NETWORK, AFTER, RUN, KEEP, MAIN, FRAME, N_PARTS } Part;
static const char *const part_names[N_PARTS] = {
    "before_ms",    "network_ms",  "after_ms", "network_cpu_ms",
    "tiles_cpu_ms", "main_cpu_ms", "pane_ms"};

typedef struct {
    CxuiApplication *application;
    CxuiWindow *window;
    const char *model;
    guint n_wanted;

    Way way;
    guint i;
    bool is_waiting; /* a step was made and is not shown yet */
    bool seen;       /* a frame was drawn since the step */
    bool settling;   /* the first prediction of this section is awaited */
    bool failed;
    int64_t step_us;
    GArray *shown, *drawn;     /* ms: of each step, double */
    GArray *parts[N_PARTS];    /* of a jump, ms */
    int64_t main_us;           /* processor time of this thread at the step */
    CxuiPredictionStats stats; /* at the step */
    GString *json;
} Bench;

/* Processor time of this thread. */
static int64_t
thread_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static int
compare(const void *a, const void *b)
{
    double da = *(const double *)a, db = *(const double *)b;

    return (da > db) - (da < db);
}

static double
quantile(GArray *values, double q)
{
    if (values->len == 0)
        return NAN;
    g_array_sort(values, compare);
    return g_array_index(values, double,
                         (guint)floor(q * (double)(values->len - 1) + 0.5));
}

static void
append_ms(GArray *values, int64_t from_us, int64_t to_us)
{
    double ms = (double)(to_us - from_us) / 1000.0;

    g_array_append_val(values, ms);
}

static void
print_way(Bench *self)
{
    g_string_append_printf(
        self->json,
        "%s\"%s\":{\"shown\":%u,\"p50_ms\":%.1f,\"p99_ms\":%.1f,"
        "\"frame_p50_ms\":%.1f,\"frame_p99_ms\":%.1f",
        self->json->len > 1 ? "," : "", way_names[self->way], self->shown->len,
        quantile(self->shown, 0.5), quantile(self->shown, 0.99),
        quantile(self->drawn, 0.5), quantile(self->drawn, 0.99));
    for (int i = 0; self->way == JUMP && i < N_PARTS; i++)
        g_string_append_printf(self->json, ",\"%s\":%.2f", part_names[i],
                               quantile(self->parts[i], 0.5));
    g_string_append(self->json, "}");
    g_array_set_size(self->shown, 0);
    g_array_set_size(self->drawn, 0);
}

static void
finish(Bench *self)
{
    CxuiPredictionStats stats =
        cxui_prediction_stats(cxui_session_prediction(self->window->session));
    CxBox field = cxui_slice_view_field(cxui_window_slice(self->window));
    CxVoxel size = cx_box_size(field);
    g_autofree char *status = cxui_prediction_dup_status(
        cxui_session_prediction(self->window->session));

    g_print("%s,\"field\":[%d,%d],\"mvox_per_s\":%.2f,\"cancelled\":%d,"
            "\"status\":\"%s\"}\n",
            self->json->str, (int)size.x, (int)size.y, stats.mvox_per_s,
            (int)stats.n_cancelled, status);
    g_application_quit(G_APPLICATION(self->application));
}

static gboolean next_step(gpointer data);

/* True if there is a next step. */
static bool
count_step(Bench *self)
{
    self->is_waiting = false;
    if (++self->i < self->n_wanted)
        return true;
    print_way(self);
    self->i = 0;
    if (++self->way < N_WAYS)
        return true;
    finish(self);
    return false;
}

/* Forgets all that was predicted, then waits for the present section. */
static void
forget(Bench *self)
{
    CxuiSettings *settings = cxui_application_settings(self->application);

    g_object_set(settings, "live-prediction", FALSE, NULL);
    g_object_set(settings, "live-prediction", TRUE, NULL);
}

static int64_t
next_section(Bench *self, CxBox bounds, int64_t z)
{
    int64_t n = bounds.hi.z - bounds.lo.z;

    if (self->way == JUMP)
        return bounds.lo.z + (z - bounds.lo.z + n / 2 + 3) % n;
    return bounds.lo.z + (z - bounds.lo.z + 1) % n;
}

static gboolean
next_step(gpointer data)
{
    Bench *self = data;
    CxuiViewState *view = cxui_session_view(self->window->session);
    CxVoxel at = cxui_view_state_voxel(view);

    at.z = next_section(self, cxui_view_state_bounds(view), at.z);
    self->is_waiting = true;
    self->seen = false;
    self->stats =
        cxui_prediction_stats(cxui_session_prediction(self->window->session));
    self->main_us = thread_us();
    self->step_us = g_get_monotonic_time();
    cxui_view_state_set_voxel(view, at);
    if (self->way == WHEEL && count_step(self)) {
        self->is_waiting = true;
        g_timeout_add(WHEEL_MS, next_step, self);
    }
    return G_SOURCE_REMOVE;
}

static void
note_parts(Bench *self, int64_t now_us)
{
    CxuiPredictionStats stats =
        cxui_prediction_stats(cxui_session_prediction(self->window->session));
    double pane_ms = cxui_slice_view_frame_ms(cxui_window_slice(self->window));

    append_ms(self->parts[BEFORE], self->step_us, stats.started_us);
    append_ms(self->parts[NETWORK], stats.started_us, stats.ended_us);
    append_ms(self->parts[AFTER], stats.ended_us, now_us);
    append_ms(self->parts[RUN], self->stats.run_us, stats.run_us);
    append_ms(self->parts[KEEP], self->stats.keep_us, stats.keep_us);
    append_ms(self->parts[MAIN], self->main_us, thread_us());
    g_array_append_val(self->parts[FRAME], pane_ms);
}

/* The field is settled: once more from nothing, or on. */
static gboolean
go_on(gpointer data)
{
    Bench *self = data;

    if (self->way != JUMP)
        return next_step(self);
    forget(self);
    self->settling = true;
    return G_SOURCE_REMOVE;
}

static void
note_shown(Bench *self, int64_t now_us)
{
    append_ms(self->shown, self->step_us, now_us);
    self->is_waiting = false;
    if (self->way == JUMP)
        note_parts(self, now_us);
    if (self->way != WHEEL && count_step(self))
        g_timeout_add(PAUSE_MS, self->way == WHEEL ? next_step : go_on, self);
}

static void
on_after_paint(GdkFrameClock *clock, Bench *self)
{
    int64_t now_us = g_get_monotonic_time();
    CxuiPrediction *prediction = cxui_session_prediction(self->window->session);
    bool complete =
        cxui_prediction_is_on(prediction) &&
        cxui_slice_view_shows_prediction(cxui_window_slice(self->window));

    if (self->settling && complete) {
        self->settling = false;
        g_timeout_add(PAUSE_MS, next_step, self);
    }
    if (!self->is_waiting)
        return;
    if (!self->seen)
        append_ms(self->drawn, self->step_us, now_us);
    self->seen = true;
    if (complete)
        note_shown(self, now_us);
}

/* One voxel a pixel, the xy pane alone, in the middle. */
static void
on_opened(CxuiSession *session, Bench *self)
{
    CxuiViewState *view = cxui_session_view(session);
    CxBox bounds = cxui_view_state_bounds(view);

    cxui_view_state_set_layout(view, CXUI_LAYOUT_XY);
    cxui_view_state_set_zoom(view, cxui_view_state_voxel_nm(view).x);
    cxui_view_state_set_voxel(view, (CxVoxel){(bounds.lo.x + bounds.hi.x) / 2,
                                              (bounds.lo.y + bounds.hi.y) / 2,
                                              bounds.lo.z});
    cxui_segmenter_set_model(cxui_session_segmenter(session), self->model);
    g_object_set(cxui_application_settings(self->application),
                 "live-prediction", TRUE, NULL);
    self->settling = true;
}

static gboolean
give_up(gpointer data)
{
    Bench *self = data;

    g_autofree char *status =
        self->window != NULL
            ? cxui_prediction_dup_status(
                  cxui_session_prediction(self->window->session))
            : g_strdup("no window");

    g_printerr("live: not done after %d s: %s, %s, step %u\n", GIVE_UP_S,
               status, way_names[self->way], self->i);
    self->failed = true;
    g_application_quit(G_APPLICATION(self->application));
    return G_SOURCE_REMOVE;
}

/* The window has a session and a frame clock once it is shown. */
static gboolean
find_window(gpointer data)
{
    Bench *self = data;
    GtkWindow *window =
        gtk_application_get_active_window(GTK_APPLICATION(self->application));

    if (window == NULL || !gtk_widget_get_realized(GTK_WIDGET(window)))
        return G_SOURCE_CONTINUE;
    self->window = CXUI_WINDOW(window);
    gtk_widget_set_visible(self->window->sidebar, FALSE);
    g_signal_connect(gtk_widget_get_frame_clock(GTK_WIDGET(window)),
                     "after-paint", G_CALLBACK(on_after_paint), self);
    if (cxui_session_is_open(self->window->session))
        on_opened(self->window->session, self);
    else
        g_signal_connect(self->window->session, "opened", G_CALLBACK(on_opened),
                         self);
    return G_SOURCE_REMOVE;
}

static void
set_size(CxuiApplication *application)
{
    g_object_set(cxui_application_settings(application), "window-width", WIDTH,
                 "window-height", HEIGHT, NULL);
}

int
main(int argc, char **argv)
{
    Bench bench = {0};

    if (argc < 3) {
        g_printerr("usage: live FILE MODEL [N]\n");
        return 2;
    }
    bench.model = argv[2];
    bench.n_wanted =
        argc > 3 ? (guint)MAX(g_ascii_strtoull(argv[3], NULL, 10), 2) : 20;
    bench.application = cxui_application_new();
    bench.json = g_string_new("{");
    bench.shown = g_array_new(FALSE, FALSE, sizeof(double));
    bench.drawn = g_array_new(FALSE, FALSE, sizeof(double));
    for (int i = 0; i < N_PARTS; i++)
        bench.parts[i] = g_array_new(FALSE, FALSE, sizeof(double));
    g_timeout_add(10, find_window, &bench);
    g_signal_connect(bench.application, "startup", G_CALLBACK(set_size), NULL);
    g_timeout_add_seconds(GIVE_UP_S, give_up, &bench);
    char *arguments[] = {argv[0], argv[1], NULL};
    int status =
        g_application_run(G_APPLICATION(bench.application), 2, arguments);

    for (int i = 0; i < N_PARTS; i++)
        g_array_unref(bench.parts[i]);
    g_array_unref(bench.shown);
    g_array_unref(bench.drawn);
    g_string_free(bench.json, TRUE);
    g_object_unref(bench.application);
    return bench.failed ? 1 : status;
}
