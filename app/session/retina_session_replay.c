/* The Retina page's state: the replay and what is derived from it.
 *
 * One job at a time brings the film nearer to the wish: a new replay, else the
 * scores of the chosen order, the mask, the knock-outs, the attribution rule,
 * the baseline's trace.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/retina_session_private.h"

#include "app/session/session_private.h"
#include "core/base/error.h"
#include "core/retina/network_responder.h"

#include <math.h>
#include <string.h>

typedef enum {
    STEP_NONE,
    STEP_REPLAY,
    STEP_SCORES,
    STEP_REDUCE,
    STEP_KNOCK_OUT,
    STEP_ATTRIBUTE,
    STEP_BASELINE,
} Step;

typedef struct {
    CxuiRetinaSession *owner; /* a reference */
    Step step;
    CxuiRetinaWish wish;
    CxuiRetinaNet *net;   /* a reference */
    CxuiRetinaFilm *film; /* what is changed, or what was made */
    CxuiRetinaBaseline *baseline;
    CxRetinaMask mask;
    double *scores;
    float *trace;
} Run;

static void
run_free(void *data)
{
    Run *run = data;

    cxui_retina_net_unref(run->net);
    cxui_retina_film_unref(run->film);
    cxui_retina_baseline_unref(run->baseline);
    g_free(run->scores);
    g_free(run->trace);
    g_free(run);
}

/* --- worker */

static double
telling_value(CxProtocolKind kind)
{
    switch (kind) {
    case CX_PROTOCOL_OSR:
        return 60.0; /* ms */
    case CX_PROTOCOL_LATENCY:
        return 1e9; /* the strongest step */
    case CX_PROTOCOL_REVERSAL:
    case CX_PROTOCOL_ANTICIPATION:
    case CX_N_PROTOCOLS:
        break;
    }
    return 0.0;
}

/* The condition that shows the effect best: no control, nearest in value. */
static size_t
find_telling(const CxProtocol *protocol)
{
    double wanted = telling_value(protocol->kind);
    double best = INFINITY;
    size_t found = 0;

    for (size_t i = 0; i < protocol->n_conditions; i++) {
        const CxProtocolCondition *condition = &protocol->conditions[i];
        double off = fabs(condition->value - wanted) +
                     (condition->control ? 1e12 : 0.0) +
                     (condition->direction < 0 ? 1e11 : 0.0);
        if (off < best) {
            best = off;
            found = i;
        }
    }
    return found;
}

static bool
make_replay(Run *run, CxJob *job, GError **error)
{
    CxRetinaReplayOptions options = {
        .kind = run->wish.kind,
        .protocol = cxui_retina_wish_protocol(&run->wish),
        .condition = run->wish.condition,
        .cell = SIZE_MAX,
        .rule = run->wish.rule,
        .n_steps = run->wish.n_steps,
        .knock_outs = run->wish.knock_outs,
    };

    if (options.condition == SIZE_MAX) {
        CxProtocolOptions sized = options.protocol;
        cx_network_film_size(run->net->net, &sized);
        g_autoptr(CxProtocol) protocol =
            cx_protocol_new(options.kind, &sized, error);
        if (protocol == NULL)
            return false;
        options.condition = find_telling(protocol);
    }
    CxuiRetinaFilm *film = g_new0(CxuiRetinaFilm, 1);
    g_atomic_ref_count_init(&film->refs);
    g_mutex_init(&film->lock);
    film->net = cxui_retina_net_ref(run->net);
    film->wish = run->wish;
    film->wish.k = 0;
    film->wish.muted = 0;
    film->wish.bits = 0;
    run->film = film;
    film->replay = cx_retina_replay_new(run->net->net, &options, job, error);
    return film->replay != NULL;
}

static bool
make_scores(Run *run, CxJob *job, GError **error)
{
    size_t n = run->film->replay->n_channels;
    CxScoreOptions options = {
        .order = run->wish.order,
        .kind = run->wish.kind,
        .options = cxui_retina_wish_protocol(&run->wish),
        .seed = 1,
    };

    cx_network_film_size(run->net->net, &options.options);
    run->scores = g_new0(double, n);
    return cx_channel_scores(run->net->net, &options, run->scores, job, error);
}

static bool
make_trace(Run *run, CxJob *job, GError **error)
{
    const CxRetinaReplay *replay = run->film->replay;
    const CxMovie *movie = replay->condition->movie;
    const CxCellPosition *cell = &replay->protocol->cells[replay->cell];

    run->trace = g_new0(float, movie->n_frames);
    return cx_ln_model_respond(run->baseline->model, movie, cell, 1, run->trace,
                               job, error);
}

static bool
run_step(CxJob *job, void *data, GError **error)
{
    Run *run = data;
    bool ok = true;

    if (run->step == STEP_REPLAY)
        return make_replay(run, job, error);
    if (run->step == STEP_SCORES)
        return make_scores(run, job, error);
    g_mutex_lock(&run->film->lock);
    CxRetinaReplay *replay = run->film->replay;
    if (run->step == STEP_REDUCE)
        ok = cx_retina_replay_reduce(replay, &run->mask, run->wish.bits, job,
                                     error);
    else if (run->step == STEP_KNOCK_OUT)
        ok = cx_retina_replay_knock_out(replay, run->wish.knock_outs, job,
                                        error);
    else if (run->step == STEP_ATTRIBUTE)
        ok = cx_retina_replay_attribute(replay, run->wish.rule,
                                        run->wish.n_steps, job, error);
    else
        ok = make_trace(run, job, error);
    g_mutex_unlock(&run->film->lock);
    return ok;
}

/* --- main loop: what is next */

/* The replay itself knows the order for its own stimulus. */
static bool
needs_scores(CxuiRetinaSession *self)
{
    const CxuiRetinaWish *wish = &self->wish;

    if (wish->k == 0 || wish->order == CX_ORDER_STIMULUS)
        return false;
    return self->scores == NULL ||
           self->scores_net != cxui_retina_net_in_use(self) ||
           self->scores_wish.order != wish->order ||
           !cxui_retina_wish_same_protocol(&self->scores_wish, wish);
}

static Step
next_step(CxuiRetinaSession *self)
{
    const CxuiRetinaWish *want = &self->wish;
    const CxuiRetinaFilm *film = self->film;

    if (film == NULL || film->net != cxui_retina_net_in_use(self) ||
        !cxui_retina_wish_same_film(&film->wish, want))
        return STEP_REPLAY;
    const CxuiRetinaWish *have = &film->wish;
    if (have->knock_outs != want->knock_outs)
        return STEP_KNOCK_OUT;
    if (needs_scores(self))
        return STEP_SCORES;
    if (have->k != want->k || have->muted != want->muted ||
        have->bits != want->bits || have->fate != want->fate ||
        (want->k != 0 && have->order != want->order))
        return STEP_REDUCE;
    if (have->rule != want->rule || have->n_steps != want->n_steps)
        return STEP_ATTRIBUTE;
    if (self->baseline != NULL && !film->has_baseline)
        return STEP_BASELINE;
    return STEP_NONE;
}

static CxRetinaMask
wanted_mask(CxuiRetinaSession *self)
{
    const CxRetinaReplay *replay = self->film->replay;
    size_t n = replay->n_channels;
    g_autofree unsigned *order = g_memdup2(replay->order, n * sizeof *order);

    if (self->wish.order != CX_ORDER_STIMULUS && self->scores != NULL &&
        self->n_scores == n)
        cx_channel_sort(self->scores, n, order);
    CxRetinaMask mask = cx_channel_mask(
        order, n, self->wish.k > 0 ? MIN(self->wish.k, n) : n, self->wish.fate);
    for (size_t c = 0; c < MIN(n, 64); c++) {
        if (self->wish.muted >> c & 1)
            mask.layer1[c] = (uint8_t)self->wish.fate;
    }
    return mask;
}

static void
take_scores(CxuiRetinaSession *self, Run *run)
{
    g_free(self->scores);
    self->scores = g_steal_pointer(&run->scores);
    self->n_scores = run->film->replay->n_channels;
    cxui_retina_net_unref(self->scores_net);
    self->scores_net = cxui_retina_net_ref(run->net);
    self->scores_wish = run->wish;
}

static void
take_step(CxuiRetinaSession *self, Run *run)
{
    CxuiRetinaWish *have = &run->film->wish;

    switch (run->step) {
    case STEP_REPLAY:
        cxui_retina_film_unref(self->film);
        self->film = cxui_retina_film_ref(run->film);
        g_clear_pointer(&self->moment, cxui_retina_moment_free);
        break;
    case STEP_SCORES:
        take_scores(self, run);
        break;
    case STEP_REDUCE:
        have->k = run->wish.k;
        have->muted = run->wish.muted;
        have->bits = run->wish.bits;
        have->fate = run->wish.fate;
        have->order = run->wish.order;
        break;
    case STEP_KNOCK_OUT:
        have->knock_outs = run->wish.knock_outs;
        break;
    case STEP_ATTRIBUTE:
        have->rule = run->wish.rule;
        have->n_steps = run->wish.n_steps;
        break;
    case STEP_BASELINE:
        g_free(run->film->baseline);
        run->film->baseline = g_steal_pointer(&run->trace);
        run->film->has_baseline = true;
        break;
    case STEP_NONE:
        break;
    }
}

/* Whether the running job still brings the wish nearer. */
static bool
is_of_use(CxuiRetinaSession *self)
{
    return self->running_net == cxui_retina_net_in_use(self) &&
           cxui_retina_wish_same_film(&self->running, &self->wish);
}

static void
on_step_done(CxJob *job, const GError *error, void *data)
{
    Run *run = data;
    CxuiRetinaSession *self = run->owner;

    if (cxui_retina_slot_end(self, &self->replay, error)) {
        /* what fails once would fail again, and what the user has cancelled
         * is not wanted: wait for another wish */
        bool rests = error != NULL && is_of_use(self);
        if (error == NULL)
            take_step(self, run);
        if (error == NULL && self->film == run->film)
            cxui_retina_emit(self, CXUI_RETINA_REPLAY_CHANGED);
        if (!rests)
            cxui_retina_pump(self);
        cxui_retina_emit(self, CXUI_RETINA_BUSY_CHANGED);
    }
    g_object_unref(self);
}

static const char *
step_title(Step step)
{
    return step == STEP_REPLAY      ? "Computing the replay"
           : step == STEP_ATTRIBUTE ? "Attributing the response"
           : step == STEP_SCORES    ? "Scoring the channels"
                                    : "Reducing the network";
}

static void start_fit(CxuiRetinaSession *self);

void
cxui_retina_pump_replay(CxuiRetinaSession *self)
{
    Step step = next_step(self);

    if (step == STEP_NONE || self->stopped) {
        start_fit(self);
        return;
    }
    if (self->replay.job != NULL) {
        if (!is_of_use(self))
            cx_job_cancel(self->replay.job);
        return;
    }
    Run *run = g_new0(Run, 1);
    run->owner = g_object_ref(self);
    run->step = step;
    run->wish = self->wish;
    run->net = cxui_retina_net_ref(cxui_retina_net_in_use(self));
    if (step != STEP_REPLAY)
        run->film = cxui_retina_film_ref(self->film);
    run->baseline = cxui_retina_baseline_ref(self->baseline);
    if (step == STEP_REDUCE)
        run->mask = wanted_mask(self);
    CxuiJobRequest request = {
        .title = step_title(step),
        .tier = CX_TIER_VISIBLE,
        .func = run_step,
        .data = run,
        .destroy = run_free,
        .done = on_step_done,
        .user_data = run,
    };
    self->running = run->wish;
    self->running_net = run->net;
    self->replay.job =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
    cxui_retina_emit(self, CXUI_RETINA_BUSY_CHANGED);
}

const CxRetinaReplay *
cxui_retina_session_replay(CxuiRetinaSession *self)
{
    return self->film != NULL ? self->film->replay : NULL;
}

const float *
cxui_retina_session_baseline(CxuiRetinaSession *self)
{
    return self->film != NULL ? self->film->baseline : NULL;
}

/* --- the baseline */

typedef struct {
    CxuiRetinaSession *owner; /* a reference */
    size_t width;
    CxLnModel *model;
} Fit;

static bool
run_fit(CxJob *job, void *data, GError **error)
{
    Fit *fit = data;

    fit->model = cx_network_baseline(fit->width, 0, 1, job, error);
    return fit->model != NULL;
}

static void
fit_free(void *data)
{
    Fit *fit = data;

    g_clear_pointer(&fit->model, cx_ln_model_free);
    g_free(fit);
}

static void
on_fitted(CxJob *job, const GError *error, void *data)
{
    Fit *fit = data;
    CxuiRetinaSession *self = fit->owner;

    self->fit_refused = error != NULL;
    if (cxui_retina_slot_end(self, &self->fit, error) && error == NULL) {
        cxui_retina_baseline_unref(self->baseline);
        self->baseline = g_new0(CxuiRetinaBaseline, 1);
        g_atomic_ref_count_init(&self->baseline->refs);
        self->baseline->model = g_steal_pointer(&fit->model);
        self->baseline->width = fit->width;
        cxui_retina_pump(self);
    }
    g_object_unref(self);
}

static void
start_fit(CxuiRetinaSession *self)
{
    CxuiRetinaNet *net = cxui_retina_net_in_use(self);
    size_t width = cx_retina_cnn_shape(net->net)->width;

    if (self->stopped || self->fit.job != NULL || self->fit_refused ||
        (self->baseline != NULL && self->baseline->width == width))
        return;
    Fit *fit = g_new0(Fit, 1);
    fit->owner = g_object_ref(self);
    fit->width = width;
    CxuiJobRequest request = {
        .title = "Fitting the linear-nonlinear baseline",
        .tier = CX_TIER_PREFETCH,
        .func = run_fit,
        .data = fit,
        .destroy = fit_free,
        .done = on_fitted,
        .user_data = fit,
    };
    self->fit.job =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
}

/* --- one moment */

void
cxui_retina_moment_free(CxuiRetinaMoment *moment)
{
    g_free(moment->density);
    g_free(moment);
}

typedef struct {
    CxuiRetinaSession *owner; /* a reference */
    CxuiRetinaFilm *film;     /* a reference */
    CxuiRetinaMoment *moment;
} Look;

static void
look_free(void *data)
{
    Look *look = data;

    cxui_retina_film_unref(look->film);
    g_clear_pointer(&look->moment, cxui_retina_moment_free);
    g_free(look);
}

static bool
run_look(CxJob *job, void *data, GError **error)
{
    Look *look = data;

    g_mutex_lock(&look->film->lock);
    bool ok = cx_retina_replay_path(look->film->replay, look->moment->frame,
                                    CXUI_MOMENT_POINTS, look->moment->rate,
                                    look->moment->density, error);
    g_mutex_unlock(&look->film->lock);
    return ok;
}

static void start_look(CxuiRetinaSession *self);

static void
on_looked(CxJob *job, const GError *error, void *data)
{
    Look *look = data;
    CxuiRetinaSession *self = look->owner;

    if (cxui_retina_slot_end(self, &self->moment_slot, error)) {
        if (error == NULL && look->film == self->film) {
            g_clear_pointer(&self->moment, cxui_retina_moment_free);
            self->moment = g_steal_pointer(&look->moment);
            cxui_retina_emit(self, CXUI_RETINA_MOMENT_CHANGED);
        }
        if (self->moment_slot.again)
            start_look(self);
    }
    g_object_unref(self);
}

static void
start_look(CxuiRetinaSession *self)
{
    self->moment_slot.again = self->moment_slot.job != NULL;
    if (self->moment_slot.job != NULL || self->film == NULL || self->stopped)
        return;
    Look *look = g_new0(Look, 1);
    look->owner = g_object_ref(self);
    look->film = cxui_retina_film_ref(self->film);
    look->moment = g_new0(CxuiRetinaMoment, 1);
    look->moment->frame =
        MIN(self->moment_frame, self->film->replay->n_frames - 1);
    look->moment->n_channels = self->film->replay->n_channels;
    look->moment->density =
        g_new0(double, look->moment->n_channels *CXUI_MOMENT_POINTS);
    CxuiJobRequest request = {
        .title = "Looking along the integral",
        .tier = CX_TIER_VISIBLE,
        .hidden = true,
        .func = run_look,
        .data = look,
        .destroy = look_free,
        .done = on_looked,
        .user_data = look,
    };
    self->moment_slot.job =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
}

void
cxui_retina_session_want_moment(CxuiRetinaSession *self, size_t frame)
{
    if (self->film == NULL || self->stopped ||
        (self->moment != NULL && self->moment->frame == frame))
        return;
    self->moment_frame = frame;
    start_look(self);
}

const CxuiRetinaMoment *
cxui_retina_session_moment(CxuiRetinaSession *self)
{
    return self->moment;
}

/* --- export */

typedef struct {
    CxuiRetinaSession *owner; /* a reference */
    CxuiRetinaFilm *film;     /* a reference */
    char *path;
} Export;

static void
export_free(void *data)
{
    Export *out = data;

    cxui_retina_film_unref(out->film);
    g_free(out->path);
    g_free(out);
}

static bool
run_export(CxJob *job, void *data, GError **error)
{
    Export *out = data;
    g_autoptr(GError) cause = NULL;

    g_mutex_lock(&out->film->lock);
    g_autofree char *text = cx_retina_replay_csv(out->film->replay);
    g_mutex_unlock(&out->film->lock);
    if (g_file_set_contents(out->path, text, (gssize)strlen(text), &cause))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_IO, "%s: cannot be written: %s",
                out->path, cause->message);
    return false;
}

static void
on_exported(CxJob *job, const GError *error, void *data)
{
    Export *out = data;
    CxuiRetinaSession *self = out->owner;

    if (!self->stopped && error == NULL)
        cxui_session_toast(self->session, 0, "Exported the traces to %s",
                           out->path);
    else if (!self->stopped && !cx_error_is_cancelled(error))
        cxui_session_fail(self->session, error);
    g_object_unref(self);
}

void
cxui_retina_session_export_csv(CxuiRetinaSession *self, const char *path)
{
    if (self->film == NULL || self->stopped)
        return;
    Export *out = g_new0(Export, 1);
    out->owner = g_object_ref(self);
    out->film = cxui_retina_film_ref(self->film);
    out->path = g_strdup(path);
    CxuiJobRequest request = {
        .title = "Exporting the traces",
        .tier = CX_TIER_VISIBLE,
        .func = run_export,
        .data = out,
        .destroy = export_free,
        .done = on_exported,
        .user_data = out,
    };
    cx_job_unref(
        cxui_job_list_start(cxui_session_jobs(self->session), &request));
}
