/* A project: splits by seeds.
 *
 * The cheapest cut between supervoxels divides a segment.  A supervoxel in
 * which both sides have seeds is divided first (project_cut_inside.c).  A cut
 * for which little speaks is compared with one through the largest supervoxel
 * at it, with seeds where its neighbours of either side touch it: two bodies
 * that share one supervoxel between the seeds are found this way.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/proofread/split_plan.h"

#include <stdlib.h>
#include <string.h>

/* A cut is weak if what it cuts is not clearly looser than the rest. */
#define WEAK_SHARE 0.8

/* A cut inside a supervoxel must beat the one between supervoxels by this. */
#define BETTER 0.1

void
cx_split_plan_clear(CxSplitPlan *plan)
{
    g_clear_pointer(&plan->draft, cx_voxel_draft_free);
    g_clear_pointer(&plan->patch, cx_patch_free);
    g_clear_pointer(&plan->divided, g_array_unref);
    g_clear_pointer(&plan->sink_side, g_array_unref);
    cx_cut_evidence_clear(&plan->evidence);
}

static void
plan_init(CxSplitPlan *plan)
{
    *plan =
        (CxSplitPlan){.divided = g_array_new(FALSE, FALSE, sizeof(CxDivided))};
}

/* Inside a supervoxel the contacts of its basins tell; a piece has too few
 * others to compare with. */
static bool
is_weak(const CxSplitPlan *plan)
{
    const CxCutEvidence *evidence = &plan->evidence;

    if (plan->divided->len > 0)
        return plan->inside.cut_affinity >=
               WEAK_SHARE * plan->inside.mean_affinity;
    return evidence->n_faces > 0 &&
           evidence->cut_affinity >= WEAK_SHARE * evidence->mean_affinity;
}

/* Seeds. */

/* Supervoxels under the seeds of one side. */
static CxId *
pick_seeds(CxProject *project, CxId segment, const char *side,
           const CxVoxel *seeds, size_t n, GError **error)
{
    CX_AUTOFREE CxId *ids = cx_try_alloc(n, sizeof *ids, error);

    for (size_t i = 0; ids != NULL && i < n; i++) {
        CxVoxel at = seeds[i];
        CxId found;

        if (!cx_project_pick(project, at, &ids[i], &found, error))
            return NULL;
        if (found == segment)
            continue;
        g_autofree char *where =
            found == 0
                ? g_strdup("on background")
                : g_strdup_printf("in segment %" G_GUINT64_FORMAT, found);

        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the %s seed %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT " lies %s, expected in segment "
                    "%" G_GUINT64_FORMAT,
                    side, at.x, at.y, at.z, where, segment);
        return NULL;
    }
    return g_steal_pointer(&ids);
}

/* The same in the draft, where supervoxels are divided already. */
static bool
pick_again(CxVoxelDraft *draft, const CxVoxel *seeds, size_t n, CxId *ids,
           GError **error)
{
    for (size_t i = 0; i < n; i++) {
        if (!cx_voxel_draft_get(draft, seeds[i], &ids[i], error))
            return false;
    }
    return true;
}

static bool
is_among(CxId id, const CxId *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

static bool
check_seeds(const CxSplitSeeds *seeds, GError **error)
{
    if (seeds->n_sources == 0 || seeds->n_sinks == 0) {
        g_set_error_literal(error, CX_ERROR, CX_ERROR_INVALID,
                            "a split needs at least one seed on each side");
        return false;
    }
    for (size_t i = 0; i < seeds->n_sources; i++) {
        for (size_t k = 0; k < seeds->n_sinks; k++) {
            CxVoxel v = seeds->sources[i];

            if (!cx_voxel_equal(v, seeds->sinks[k]))
                continue;
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "seeds of both sides lie at the voxel "
                        "%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                        ",%" G_GINT64_FORMAT,
                        v.x, v.y, v.z);
            return false;
        }
    }
    return true;
}

/* The cut. */

typedef struct {
    CxProject *project;
    CxId segment;
    const CxSplitSeeds *seeds;
    CxId *sources, *sinks; /* supervoxels under the seeds */
    CxJob *job;
} Split;

/* Makes the patch of what was divided, and cuts. */
static bool
cut_graph(const Split *split, CxSplitPlan *plan, GError **error)
{
    const CxSplitSeeds *seeds = split->seeds;

    if (plan->draft != NULL) {
        GError *reason = NULL;

        plan->patch =
            cx_voxel_draft_make_patch(plan->draft, split->job, &reason);
        if (reason != NULL) {
            g_propagate_error(error, reason);
            return false;
        }
        if (!pick_again(plan->draft, seeds->sources, seeds->n_sources,
                        split->sources, error) ||
            !pick_again(plan->draft, seeds->sinks, seeds->n_sinks, split->sinks,
                        error))
            return false;
    }
    plan->sink_side = cx_supervoxel_graph_cut_patched(
        split->project->graph, split->segment, plan->patch, split->sources,
        seeds->n_sources, split->sinks, seeds->n_sinks, &plan->evidence,
        split->job, error);
    return plan->sink_side != NULL;
}

/* Divides every supervoxel that has seeds of both sides. */
static bool
divide_shared(const Split *split, CxSplitPlan *plan, GError **error)
{
    const CxSplitSeeds *seeds = split->seeds;

    for (size_t i = 0; i < seeds->n_sources; i++) {
        CxId id = split->sources[i];

        if (!is_among(id, split->sinks, seeds->n_sinks) ||
            is_among(id, split->sources, i))
            continue;
        if (!cx_project_cut_inside(split->project, plan, split->segment, id,
                                   seeds, split->job, error))
            return false;
    }
    return true;
}

/* A weak cut, and the supervoxel that may hold the true one. */

static bool
is_on_sink_side(const CxSplitPlan *plan, CxId id)
{
    return bsearch(&id, plan->sink_side->data, plan->sink_side->len, sizeof id,
                   cx_project_compare_ids) != NULL;
}

/* The supervoxel with the most faces in the cut; 0 if there is none. */
static CxId
find_suspect(const Split *split, const CxSplitPlan *plan)
{
    const GArray *edges = plan->evidence.edges;
    g_autoptr(CxHash64) faces = cx_hash64_new(edges->len);
    size_t cursor = 0;
    uint64_t id, n, most = 0;
    CxId suspect = 0;

    for (guint i = 0; i < edges->len; i++) {
        const CxEdge *edge = &g_array_index(edges, CxEdge, i);

        *cx_hash64_at(faces, edge->a, 0, NULL) += edge->contacts;
        *cx_hash64_at(faces, edge->b, 0, NULL) += edge->contacts;
    }
    while (cx_hash64_next(faces, &cursor, &id, &n)) {
        CxSupervoxel found;
        size_t n_box;

        if (!cx_supervoxel_graph_supervoxel(split->project->graph, id, &found,
                                            NULL) ||
            !cx_box_n_voxels(found.box, &n_box) || n_box > (size_t)1 << 22)
            continue;
        if (n > most || (n == most && id < suspect)) {
            most = n;
            suspect = id;
        }
    }
    return suspect;
}

/* Voxels of the suspect that touch its neighbours, by neighbour: the middle
 * one of each is a seed of that neighbour's side. */
typedef struct {
    CxId id;
    GArray *voxels; /* of CxVoxel */
} Touching;

static void
clear_touching(void *data)
{
    g_array_unref(((Touching *)data)->voxels);
}

static GArray *
voxels_towards(GArray *neighbours, CxId id)
{
    for (guint i = 0; i < neighbours->len; i++) {
        Touching *touching = &g_array_index(neighbours, Touching, i);

        if (touching->id == id)
            return touching->voxels;
    }
    Touching fresh = {id, g_array_new(FALSE, FALSE, sizeof(CxVoxel))};

    g_array_append_val(neighbours, fresh);
    return fresh.voxels;
}

static void
note_touch(CxProject *project, CxId segment, const CxChunk *labels, CxVoxel v,
           CxId id, GArray *neighbours)
{
    static const CxVoxel steps[6] = {{-1, 0, 0}, {1, 0, 0},  {0, -1, 0},
                                     {0, 1, 0},  {0, 0, -1}, {0, 0, 1}};

    for (int i = 0; i < 6; i++) {
        CxVoxel w = {v.x + steps[i].x, v.y + steps[i].y, v.z + steps[i].z};

        if (!cx_box_contains(cx_chunk_box(labels), w))
            continue;
        CxId other = cx_chunk_label_at(labels, w);

        if (other == 0 || other == id ||
            cx_supervoxel_graph_segment_of(project->graph, other) != segment)
            continue;
        g_array_append_val(voxels_towards(neighbours, other), v);
    }
}

static GArray *
find_neighbours(const Split *split, CxVoxelDraft *draft, CxId suspect,
                GError **error)
{
    CxProject *project = split->project;
    CxSupervoxel found;
    CxVoxel one = {1, 1, 1}, v;

    cx_supervoxel_graph_supervoxel(project->graph, suspect, &found, NULL);
    CxBox box = cx_box_intersect(cx_box_grow(found.box, one),
                                 cx_project_bounds(project));
    g_autoptr(CxChunk) labels = cx_voxel_draft_read(draft, box, error);

    if (labels == NULL)
        return NULL;
    GArray *neighbours = g_array_new(FALSE, FALSE, sizeof(Touching));

    g_array_set_clear_func(neighbours, clear_touching);
    for (v.z = box.lo.z; v.z < box.hi.z; v.z++) {
        for (v.y = box.lo.y; v.y < box.hi.y; v.y++) {
            for (v.x = box.lo.x; v.x < box.hi.x; v.x++) {
                if (cx_chunk_label_at(labels, v) == suspect)
                    note_touch(project, split->segment, labels, v, suspect,
                               neighbours);
            }
        }
    }
    return neighbours;
}

static void
add_inner_seeds(CxId suspect, const CxVoxel *seeds, const CxId *ids, size_t n,
                GArray *out)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == suspect)
            g_array_append_val(out, seeds[i]);
    }
}

/* Divides the suspect between its neighbours of either side. */
static bool
divide_suspect(const Split *split, const CxSplitPlan *plan, CxId suspect,
               CxSplitPlan *other, bool *possible, GError **error)
{
    const CxSplitSeeds *seeds = split->seeds;
    g_autoptr(GArray) sources = g_array_new(FALSE, FALSE, sizeof(CxVoxel));
    g_autoptr(GArray) sinks = g_array_new(FALSE, FALSE, sizeof(CxVoxel));

    other->draft = cx_voxel_draft_new(split->project);
    g_autoptr(GArray) neighbours =
        find_neighbours(split, other->draft, suspect, error);

    if (neighbours == NULL)
        return false;
    add_inner_seeds(suspect, seeds->sources, split->sources, seeds->n_sources,
                    sources);
    add_inner_seeds(suspect, seeds->sinks, split->sinks, seeds->n_sinks, sinks);
    for (guint i = 0; i < neighbours->len; i++) {
        const Touching *t = &g_array_index(neighbours, Touching, i);
        CxVoxel middle = g_array_index(t->voxels, CxVoxel, t->voxels->len / 2);

        if (is_on_sink_side(plan, t->id))
            g_array_append_val(sinks, middle);
        else
            g_array_append_val(sources, middle);
    }
    CxSplitSeeds inner = {(const CxVoxel *)(void *)sources->data,
                          (const CxVoxel *)(void *)sinks->data, sources->len,
                          sinks->len};

    *possible =
        inner.n_sources > 0 && inner.n_sinks > 0 && check_seeds(&inner, NULL);
    return !*possible ||
           cx_project_cut_inside(split->project, other, split->segment, suspect,
                                 &inner, split->job, error);
}

/* Takes the cut through a supervoxel if more speaks for it. */
static bool
try_inside(const Split *split, CxSplitPlan *plan, GError **error)
{
    CxId suspect = find_suspect(split, plan);
    g_auto(CxSplitPlan) other = {0};
    bool possible;

    if (suspect == 0)
        return true;
    plan_init(&other);
    if (!divide_suspect(split, plan, suspect, &other, &possible, error))
        return false;
    if (!possible)
        return true;
    if (!cut_graph(split, &other, error))
        return false;
    if (other.evidence.cut_affinity + BETTER < plan->evidence.cut_affinity) {
        CxSplitPlan swap = *plan;

        *plan = other;
        other = swap;
    }
    return true;
}

static bool
make_plan(CxProject *project, CxId segment, const CxSplitSeeds *seeds,
          CxSplitPlan *plan, CxJob *job, GError **error)
{
    plan_init(plan);
    if (!check_seeds(seeds, error) ||
        !cx_project_find_segment(project, segment, NULL, error))
        return false;
    CX_AUTOFREE CxId *sources = pick_seeds(
        project, segment, "source", seeds->sources, seeds->n_sources, error);
    CX_AUTOFREE CxId *sinks =
        sources != NULL ? pick_seeds(project, segment, "sink", seeds->sinks,
                                     seeds->n_sinks, error)
                        : NULL;
    Split split = {project, segment, seeds, sources, sinks, job};

    if (sinks == NULL || !divide_shared(&split, plan, error) ||
        !cut_graph(&split, plan, error))
        return false;
    return plan->draft != NULL || !is_weak(plan) ||
           try_inside(&split, plan, error);
}

/* What leaves. */

/* Members as they will be: id and voxels (GArray of CxSupervoxel). */
static GArray *
members_after(CxProject *project, CxId segment, const CxPatch *patch)
{
    GArray *members = cx_supervoxel_graph_members(project->graph, segment);

    for (guint i = 0; patch != NULL && i < members->len; i++) {
        CxSupervoxel *member = &g_array_index(members, CxSupervoxel, i);
        const CxPatchNode *node = cx_patch_find(patch, CX_AFTER, member->id);

        if (node != NULL)
            *member = node->supervoxel;
    }
    for (guint i = 0; patch != NULL && i < patch->nodes[CX_AFTER]->len; i++) {
        const CxPatchNode *node =
            &g_array_index(patch->nodes[CX_AFTER], CxPatchNode, i);

        if (node->segment == segment &&
            cx_patch_find(patch, CX_BEFORE, node->supervoxel.id) == NULL)
            g_array_append_val(members, node->supervoxel);
    }
    return members;
}

/* The side with fewer voxels, the sinks' if they are equal. */
static GArray *
smaller_side(const GArray *members, const CxSplitPlan *plan, bool *sinks_leave)
{
    g_autoptr(GArray) source = g_array_new(FALSE, FALSE, sizeof(CxId));
    g_autoptr(GArray) sink = g_array_new(FALSE, FALSE, sizeof(CxId));
    uint64_t source_voxels = 0, sink_voxels = 0;

    for (guint i = 0; i < members->len; i++) {
        const CxSupervoxel *member = &g_array_index(members, CxSupervoxel, i);
        bool is_sink = is_on_sink_side(plan, member->id);

        g_array_append_val(is_sink ? sink : source, member->id);
        sink_voxels += is_sink ? member->n_voxels : 0;
        source_voxels += is_sink ? 0 : member->n_voxels;
    }
    *sinks_leave = sink_voxels <= source_voxels;
    return *sinks_leave ? g_steal_pointer(&sink) : g_steal_pointer(&source);
}

/* Preview. */

void
cx_split_preview_free(CxSplitPreview *preview)
{
    if (preview == NULL)
        return;
    g_array_unref(preview->movers);
    g_array_unref(preview->sink_side);
    g_clear_pointer(&preview->sides, cx_chunk_unref);
    g_free(preview->sentence);
    g_free(preview);
}

/* Boxes of the divided supervoxels together hold at most this much to show. */
#define MAX_SHOWN ((size_t)1 << 27)

static CxChunk *
show_sides(const CxSplitPlan *plan, GError **error)
{
    CxBox box = {{0, 0, 0}, {0, 0, 0}};
    size_t n;

    for (guint i = 0; i < plan->divided->len; i++)
        box = cx_box_union(box, g_array_index(plan->divided, CxDivided, i).box);
    if (!cx_box_n_voxels(box, &n) || n > MAX_SHOWN)
        box = plan->patch->box;
    g_autoptr(CxChunk) labels = cx_voxel_draft_read(plan->draft, box, error);
    CxChunk *sides =
        labels != NULL ? cx_chunk_new(CX_DTYPE_U8, box, 1, error) : NULL;

    if (sides == NULL)
        return NULL;
    const CxId *ids = cx_chunk_data(labels);
    uint8_t *out = cx_chunk_data_mut(sides);

    memset(out, 0, cx_chunk_size_bytes(sides));
    for (guint d = 0; d < plan->divided->len; d++) {
        CxDivided divided = g_array_index(plan->divided, CxDivided, d);
        uint8_t kept = is_on_sink_side(plan, divided.id) ? 2 : 1;
        uint8_t fresh = is_on_sink_side(plan, divided.fresh) ? 2 : 1;

        for (size_t i = 0; i < cx_chunk_n_voxels(labels); i++)
            out[i] = ids[i] == divided.id      ? kept
                     : ids[i] == divided.fresh ? fresh
                                               : out[i];
    }
    return sides;
}

static char *
describe(const CxSplitPlan *plan)
{
    const CxCutEvidence *e = &plan->evidence;
    const char *inside = plan->divided->len > 0 ? ", inside a supervoxel" : "";

    if (e->n_faces == 0)
        return g_strdup("The two sides do not touch.");
    return g_strdup_printf(
        "%sThe cut crosses %" G_GUINT64_FORMAT
        " faces%s; their affinity is %.2f, %.2f in the whole segment.",
        is_weak(plan) ? "Weak evidence: " : "", e->n_faces, inside,
        e->cut_affinity, e->mean_affinity);
}

static CxSplitPreview *
make_preview(CxProject *project, CxId segment, const CxSplitPlan *plan,
             GError **error)
{
    g_autoptr(CxChunk) sides =
        plan->divided->len > 0 ? show_sides(plan, error) : NULL;

    if (plan->divided->len > 0 && sides == NULL)
        return NULL;
    CxSplitPreview *preview = g_new0(CxSplitPreview, 1);
    g_autoptr(GArray) members = members_after(project, segment, plan->patch);

    preview->movers = smaller_side(members, plan, &preview->sinks_leave);
    g_array_sort(preview->movers, cx_project_compare_ids);
    preview->sink_side = g_array_ref(plan->sink_side);
    preview->sides = g_steal_pointer(&sides);
    preview->weak = is_weak(plan);
    preview->n_faces = plan->evidence.n_faces;
    preview->cut_affinity = plan->evidence.cut_affinity;
    preview->mean_affinity = plan->evidence.mean_affinity;
    preview->sentence = describe(plan);
    return preview;
}

CxSplitPreview *
cx_project_preview_cut(CxProject *project, CxId segment, const CxVoxel *sources,
                       size_t n_sources, const CxVoxel *sinks, size_t n_sinks,
                       CxJob *job, GError **error)
{
    CxSplitSeeds seeds = {sources, sinks, n_sources, n_sinks};
    g_auto(CxSplitPlan) plan = {0};
    CxSplitPreview *preview = NULL;

    g_mutex_lock(&project->edit_lock);
    CxId next_before = project->next_segment;

    if (make_plan(project, segment, &seeds, &plan, job, error))
        preview = make_preview(project, segment, &plan, error);
    project->next_segment = next_before;
    g_mutex_unlock(&project->edit_lock);
    return preview;
}

GArray *
cx_project_preview_split(CxProject *project, CxId segment,
                         const CxVoxel *sources, size_t n_sources,
                         const CxVoxel *sinks, size_t n_sinks, CxJob *job,
                         GError **error)
{
    g_autoptr(CxSplitPreview) preview = cx_project_preview_cut(
        project, segment, sources, n_sources, sinks, n_sinks, job, error);

    return preview != NULL ? g_array_ref(preview->movers) : NULL;
}

/* Commit. */

static CxVoxel
between(CxVoxel a, CxVoxel b)
{
    return (CxVoxel){(a.x + b.x) / 2, (a.y + b.y) / 2, (a.z + b.z) / 2};
}

static bool
commit_plan(CxProject *project, CxEdit *edit, CxSplitPlan *plan, GError **error)
{
    return plan->patch != NULL
               ? cx_project_commit_patch(project, edit, plan->draft,
                                         g_steal_pointer(&plan->patch), error)
               : cx_project_commit_edit(project, edit, error);
}

static CxEdit *
split(CxProject *project, CxId segment, const CxSplitSeeds *seeds, CxJob *job,
      GError **error)
{
    g_auto(CxSplitPlan) plan = {0};
    bool sinks_leave;

    if (!cx_project_check_unlocked(project, segment, error) ||
        !make_plan(project, segment, seeds, &plan, job, error))
        return NULL;
    g_autoptr(GArray) members = members_after(project, segment, plan.patch);
    GArray *leavers = smaller_side(members, &plan, &sinks_leave);
    CxId new_id = cx_project_next_id(project);
    g_autoptr(CxEdit) edit = cx_edit_new(CX_EDIT_SPLIT);

    edit->at = between(seeds->sources[0], seeds->sinks[0]);
    edit->weak = is_weak(&plan);
    edit->sentence = g_strdup_printf(
        "Split %" G_GUINT64_FORMAT ": %u piece%s became %" G_GUINT64_FORMAT
        "%s%s",
        segment, leavers->len, leavers->len == 1 ? "" : "s", new_id,
        plan.divided->len > 0 ? ", cut inside a supervoxel" : "",
        edit->weak ? " (weak evidence)" : "");
    cx_edit_add_move(edit, segment, new_id, leavers);
    return commit_plan(project, edit, &plan, error) ? g_steal_pointer(&edit)
                                                    : NULL;
}

CxEdit *
cx_project_split(CxProject *project, CxId segment, const CxVoxel *sources,
                 size_t n_sources, const CxVoxel *sinks, size_t n_sinks,
                 CxJob *job, GError **error)
{
    CxSplitSeeds seeds = {sources, sinks, n_sources, n_sinks};

    g_mutex_lock(&project->edit_lock);
    CxId next_before = project->next_segment;
    CxEdit *edit = split(project, segment, &seeds, job, error);

    if (edit == NULL)
        project->next_segment = next_before;
    g_mutex_unlock(&project->edit_lock);
    return edit;
}

void
cx_project_set_boundary(CxProject *project, CxVolume *boundary)
{
    g_mutex_lock(&project->edit_lock);
    CxVolume *former = project->boundary;

    project->boundary = boundary != NULL ? cx_volume_ref(boundary) : NULL;
    g_mutex_unlock(&project->edit_lock);
    if (former != NULL)
        cx_volume_unref(former);
}
