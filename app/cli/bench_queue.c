/* The queue of suspicions, answered by the truth: how fast the error falls.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/bench.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/review/live_scores.h"
#include "core/review/suspicions.h"

#include <string.h>

/* Suspicions are looked for anew after so many answers. */
#define ROUND 10U

typedef struct {
    CxSupervoxelGraph *graph;
    CxLiveScores *scores;
    CxSuspicionModel model;
    GHashTable *answered; /* "a b" of contacts that were kept as they are */
    CxRng rng;
    bool at_random;
    CxId next_id;
} Queue;

static CxLiveScores *
count_truth(CxcliContext *context, CxProject *project, GError **error)
{
    const char *path = cxcli_text(context, "truth", NULL);
    g_autoptr(CxContingency) table = cx_contingency_new();

    if (path == NULL) {
        cxcli_set_usage_error(error, "bench queue: expected --truth LABELS");
        return NULL;
    }
    g_autoptr(CxVolume) truth = cx_volume_open(path, context->job, error);
    if (truth == NULL || !cx_contingency_add_volumes(
                             table, truth, cx_project_supervoxels(project), 0,
                             false, context->job, error))
        return NULL;
    return cx_live_scores_new(cx_project_graph(project), table);
}

static char *
key_of(const CxSuspicion *suspicion)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                           suspicion->a, suspicion->b);
}

static CxId
majority_of_segment(Queue *queue, CxId segment)
{
    g_autoptr(GArray) members =
        cx_supervoxel_graph_members(queue->graph, segment);
    g_autofree CxId *ids = g_new(CxId, members->len);

    for (guint i = 0; i < members->len; i++)
        ids[i] = g_array_index(members, CxSupervoxel, i).id;
    return cx_live_scores_majority(queue->scores, ids, members->len);
}

static void
carry_out(Queue *queue, CxEdit *edit)
{
    cx_supervoxel_graph_apply(queue->graph, edit, false);
    cx_live_scores_apply(queue->scores, edit, false);
}

static bool
answer_split(Queue *queue, const CxSuspicion *suspicion)
{
    CxId a = majority_of_segment(queue, suspicion->segment_a);
    CxId b = majority_of_segment(queue, suspicion->segment_b);

    if (a != b || a == 0)
        return false;
    g_autoptr(GArray) members =
        cx_supervoxel_graph_members(queue->graph, suspicion->segment_b);
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(CxId));
    for (guint i = 0; i < members->len; i++)
        g_array_append_val(ids, g_array_index(members, CxSupervoxel, i).id);
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_MERGE);
    cx_edit_add_move(edit, suspicion->segment_b, suspicion->segment_a, ids);
    carry_out(queue, edit);
    return true;
}

/* Cut where the best cut between the two ends parts two neurons. */
static bool
answer_merge(Queue *queue, const CxSuspicion *suspicion)
{
    GArray *sink = cx_supervoxel_graph_cut(queue->graph, suspicion->segment_a,
                                           &suspicion->a, 1, &suspicion->b, 1,
                                           NULL, NULL, NULL);

    if (sink == NULL)
        return true;
    CxId b = cx_live_scores_majority(queue->scores, (const CxId *)sink->data,
                                     sink->len);
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_SPLIT);
    cx_edit_add_move(edit, suspicion->segment_a, queue->next_id++, sink);
    cx_supervoxel_graph_apply(queue->graph, edit, false);
    CxId a = majority_of_segment(queue, suspicion->segment_a);
    if (a == b) { /* one neuron: leave it */
        cx_supervoxel_graph_apply(queue->graph, edit, true);
        return true;
    }
    cx_live_scores_apply(queue->scores, edit, false);
    return false;
}

/* The next suspicion that was not answered; at random: any. */
static bool
next_suspicion(Queue *queue, GArray *found, CxSuspicion *next)
{
    while (found->len > 0) {
        guint i =
            queue->at_random ? (guint)cx_rng_below(&queue->rng, found->len) : 0;

        *next = g_array_index(found, CxSuspicion, i);
        g_array_remove_index(found, i);
        g_autofree char *key = key_of(next);
        if (cx_supervoxel_graph_segment_of(queue->graph, next->a) ==
                next->segment_a &&
            cx_supervoxel_graph_segment_of(queue->graph, next->b) ==
                next->segment_b &&
            g_hash_table_add(queue->answered, g_steal_pointer(&key)))
            return true;
    }
    return false;
}

static unsigned
answer_round(Queue *queue, GArray *found, unsigned most)
{
    unsigned n = 0;
    CxSuspicion next;

    while (n < most && next_suspicion(queue, found, &next)) {
        bool same = next.kind == CX_SUSPECT_SPLIT ? answer_split(queue, &next)
                                                  : answer_merge(queue, &next);

        cx_suspicion_model_learn(&queue->model, next.affinity, same);
        n++;
    }
    return n;
}

static void
report_point(CxcliContext *context, const Queue *queue, unsigned n)
{
    CxScores scores = cx_live_scores_get(queue->scores);

    cxcli_report_begin_object(context->report, NULL);
    cxcli_report_integer(context->report, "decisions", n);
    cxcli_report_real(context->report, "voi_split", scores.voi_split);
    cxcli_report_real(context->report, "voi_merge", scores.voi_merge);
    cxcli_report_real(context->report, "arand", scores.arand);
    cxcli_report_end_object(context->report);
}

static bool
work_off(CxcliContext *context, Queue *queue, GError **error)
{
    unsigned n_wanted = (unsigned)cxcli_integer(context, "decisions", 200);
    CxSuspicionOptions options = cx_suspicion_defaults();

    options.min_voxels =
        cxcli_integer(context, "min-voxels", options.min_voxels);
    cxcli_report_begin_array(context->report, "points");
    report_point(context, queue, 0);
    for (unsigned n = 0, step = 1; n < n_wanted && step > 0; n += step) {
        g_autoptr(GArray) found = cx_suspicions_find(
            queue->graph, &queue->model, &options, NULL, error);

        if (found == NULL || !cx_job_step(context->job, n, n_wanted, error))
            return false;
        step = answer_round(queue, found, MIN(ROUND, n_wanted - n));
        report_point(context, queue, n + step);
    }
    cxcli_report_end_array(context->report);
    cxcli_report_real(context->report, "offset", queue->model.offset);
    cxcli_report_real(context->report, "slope", queue->model.slope);
    return true;
}

bool
cxcli_bench_queue(CxcliContext *context, GError **error)
{
    const char *order = cxcli_text(context, "order", "ranked");
    g_autoptr(GHashTable) answered =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    if (context->n_args < 2 ||
        (!g_str_equal(order, "ranked") && !g_str_equal(order, "random"))) {
        cxcli_set_usage_error(error, "bench queue: expected a project, and "
                                     "--order ranked or random");
        return false;
    }
    g_autoptr(CxProject) project =
        cx_project_open(context->args[1], true, context->job, error);
    if (project == NULL)
        return false;
    g_autoptr(CxLiveScores) scores = count_truth(context, project, error);
    Queue queue = {
        .graph = cx_project_graph(project),
        .scores = scores,
        .model = cx_suspicion_model_default(),
        .answered = answered,
        .at_random = g_str_equal(order, "random"),
        .next_id = G_MAXUINT64 / 2,
    };

    if (scores == NULL)
        return false;
    cx_rng_init(&queue.rng, (uint64_t)cxcli_integer(context, "seed", 1));
    return work_off(context, &queue, error);
}
