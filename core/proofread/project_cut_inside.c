/* A project: one supervoxel divided between seeds of both sides.
 *
 * A supervoxel that is not too large is looked at whole; else the voxels near
 * the seeds are divided (voxel_cut.h), and the sides then grow from the border
 * of that box through the rest of the supervoxel, step by step at the same
 * pace.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/proofread/split_plan.h"
#include "core/proofread/voxel_cut.h"

#include <string.h>

/* Voxels of the box in which a supervoxel is divided: about a second. */
#define MAX_BOX ((size_t)1 << 22)

typedef struct {
    CxProject *project;
    CxVoxelDraft *draft;
    CxId id, source_id, sink_id; /* the last two new, one for each side */
    CxBox box;
    uint64_t n_source, n_sink;
    GArray *sources, *sinks; /* of CxVoxel, relative to box.lo */
    CxJob *job;
} Cut;

static CxBox
box_of_seeds(const CxSplitSeeds *seeds)
{
    CxBox box = {{0, 0, 0}, {0, 0, 0}};

    for (size_t i = 0; i < seeds->n_sources + seeds->n_sinks; i++) {
        CxVoxel v = i < seeds->n_sources ? seeds->sources[i]
                                         : seeds->sinks[i - seeds->n_sources];
        CxBox one = {v, {v.x + 1, v.y + 1, v.z + 1}};

        box = cx_box_union(box, one);
    }
    return box;
}

static CxBox
choose_box(CxProject *project, const CxSupervoxel *supervoxel,
           const CxSplitSeeds *seeds)
{
    CxNm nm = project->note.voxel_nm;
    double finest = MIN(MIN(nm.x, nm.y), nm.z);
    CxBox near_seeds = box_of_seeds(seeds), box = supervoxel->box;
    size_t n;

    for (int64_t margin = 80; margin >= 8; margin -= 8) {
        CxVoxel by = {(int64_t)((double)margin * finest / nm.x) + 1,
                      (int64_t)((double)margin * finest / nm.y) + 1,
                      (int64_t)((double)margin * finest / nm.z) + 1};

        if (cx_box_n_voxels(box, &n) && n <= MAX_BOX)
            break;
        box = cx_box_intersect(cx_box_grow(near_seeds, by), supervoxel->box);
    }
    return box;
}

/* Seeds of one side that lie in the supervoxel. */
static bool
pick(Cut *cut, const CxVoxel *seeds, size_t n, GArray *picked, GError **error)
{
    for (size_t i = 0; i < n; i++) {
        CxVoxel v = seeds[i];
        CxId found;

        if (!cx_voxel_draft_get(cut->draft, v, &found, error))
            return false;
        v = (CxVoxel){v.x - cut->box.lo.x, v.y - cut->box.lo.y,
                      v.z - cut->box.lo.z};
        if (found == cut->id)
            g_array_append_val(picked, v);
    }
    return true;
}

/* The stored membrane map if there is one, else the image's darkness; NULL
 * without error if neither can be read. */
static bool
read_membrane(Cut *cut, uint8_t *membrane, bool *is_known, GError **error)
{
    CxProject *project = cut->project;
    CxVolume *image = cx_project_image(project);
    CxVolume *source = project->boundary != NULL ? project->boundary : image;
    g_autoptr(GError) ignored = NULL;

    *is_known = false;
    if (source == NULL || (source == image && cx_volume_is_labels(image)))
        return true;
    g_autoptr(CxChunk) samples =
        cx_volume_read_u8(source, 0, cut->box, cut->job, &ignored);

    if (samples == NULL) {
        g_debug("no membranes are seen: %s", ignored->message);
        return cx_job_check(cut->job, error);
    }
    *is_known = true;
    if (source == project->boundary) {
        memcpy(membrane, cx_chunk_data(samples), cx_chunk_size_bytes(samples));
        return true;
    }
    return cx_membrane_of_light(cx_chunk_data(samples), cx_box_size(cut->box),
                                project->note.voxel_nm, membrane, cut->job,
                                error);
}

static bool
put_sides(Cut *cut, CxChunk *labels, const uint8_t *side, GError **error)
{
    CxId *ids = cx_chunk_data_mut(labels);
    size_t n = cx_chunk_n_voxels(labels);

    for (size_t i = 0; i < n; i++) {
        if (ids[i] != cut->id || side[i] == 0)
            continue;
        ids[i] = side[i] == 1 ? cut->source_id : cut->sink_id;
        cut->n_source += side[i] == 1;
        cut->n_sink += side[i] == 2;
    }
    return cx_voxel_draft_write(cut->draft, labels, error);
}

static bool
cut_in_box(Cut *cut, CxVoxelCut *result, GError **error)
{
    g_autoptr(CxChunk) labels =
        cx_voxel_draft_read(cut->draft, cut->box, error);
    size_t n = labels != NULL ? cx_chunk_n_voxels(labels) : 0;
    CX_AUTOFREE uint8_t *inside =
        labels != NULL ? cx_try_alloc(n, 3, error) : NULL;

    if (inside == NULL)
        return false;
    uint8_t *membrane = inside + n, *side = inside + 2 * n;
    const CxId *ids = cx_chunk_data(labels);
    bool is_known;

    for (size_t i = 0; i < n; i++)
        inside[i] = ids[i] == cut->id;
    if (!read_membrane(cut, membrane, &is_known, error))
        return false;
    CxVoxelCutProblem problem = {
        .size = cx_box_size(cut->box),
        .voxel_nm = cut->project->note.voxel_nm,
        .inside = inside,
        .membrane = is_known ? membrane : NULL,
        .sources = (const CxVoxel *)(const void *)cut->sources->data,
        .sinks = (const CxVoxel *)(const void *)cut->sinks->data,
        .n_sources = cut->sources->len,
        .n_sinks = cut->sinks->len,
    };

    return cx_voxel_cut(&problem, side, result, cut->job, error) &&
           put_sides(cut, labels, side, error);
}

/* Beyond the box. */

static const CxVoxel steps[6] = {{-1, 0, 0}, {1, 0, 0},  {0, -1, 0},
                                 {0, 1, 0},  {0, 0, -1}, {0, 0, 1}};

static bool
spread(Cut *cut, CxVoxel from, GArray *front, GError **error)
{
    CxId side;

    if (!cx_voxel_draft_get(cut->draft, from, &side, error))
        return false;
    if (side != cut->source_id && side != cut->sink_id)
        return true;
    for (int i = 0; i < 6; i++) {
        CxVoxel at = {from.x + steps[i].x, from.y + steps[i].y,
                      from.z + steps[i].z};
        CxId found;

        if (cx_box_contains(cut->box, at))
            continue;
        if (!cx_voxel_draft_get(cut->draft, at, &found, error))
            return false;
        if (found != cut->id)
            continue;
        if (!cx_voxel_draft_set(cut->draft, at, 1, side, error) ||
            !cx_voxel_draft_get(cut->draft, at, &found, error))
            return false;
        if (found != side)
            continue;
        cut->n_source += side == cut->source_id;
        cut->n_sink += side == cut->sink_id;
        g_array_append_val(front, at);
    }
    return true;
}

static bool
spread_from_border(Cut *cut, GArray *front, GError **error)
{
    CxBox b = cut->box;
    CxVoxel v;

    for (v.z = b.lo.z; v.z < b.hi.z; v.z++) {
        for (v.y = b.lo.y; v.y < b.hi.y; v.y++) {
            bool edge = v.z == b.lo.z || v.z == b.hi.z - 1 || v.y == b.lo.y ||
                        v.y == b.hi.y - 1;
            int64_t step = edge ? 1 : MAX(b.hi.x - 1 - b.lo.x, 1);

            for (v.x = b.lo.x; v.x < b.hi.x; v.x += step) {
                if (!spread(cut, v, front, error))
                    return false;
            }
        }
    }
    return true;
}

static bool
spread_beyond(Cut *cut, GError **error)
{
    g_autoptr(GArray) front = g_array_new(FALSE, FALSE, sizeof(CxVoxel));
    g_autoptr(GArray) next = g_array_new(FALSE, FALSE, sizeof(CxVoxel));

    if (!spread_from_border(cut, front, error))
        return false;
    while (front->len > 0) {
        GArray *swap = front;

        if (!cx_job_check(cut->job, error))
            return false;
        for (guint i = 0; i < front->len; i++) {
            if (!spread(cut, g_array_index(front, CxVoxel, i), next, error))
                return false;
        }
        front = next;
        next = swap;
        g_array_set_size(next, 0);
    }
    return true;
}

/* The whole. */

static bool
divide(Cut *cut, CxSplitPlan *plan, CxId segment, const CxSupervoxel *former,
       const CxSplitSeeds *seeds, GError **error)
{
    if (!pick(cut, seeds->sources, seeds->n_sources, cut->sources, error) ||
        !pick(cut, seeds->sinks, seeds->n_sinks, cut->sinks, error) ||
        !cut_in_box(cut, &plan->inside, error))
        return false;
    if (!cx_box_equal(cut->box, former->box) && !spread_beyond(cut, error))
        return false;
    /* What neither side reached stays with the larger one. */
    bool source_keeps = cut->n_source >= cut->n_sink;
    CxDivided divided = {cut->id, source_keeps ? cut->sink_id : cut->source_id,
                         former->box};

    cx_voxel_draft_rename(
        cut->draft, source_keeps ? cut->source_id : cut->sink_id, cut->id);
    cx_voxel_draft_add_new(cut->draft, divided.fresh, segment, cut->id);
    g_array_append_val(plan->divided, divided);
    return true;
}

bool
cx_project_cut_inside(CxProject *project, CxSplitPlan *plan, CxId segment,
                      CxId supervoxel, const CxSplitSeeds *seeds, CxJob *job,
                      GError **error)
{
    CxSupervoxel former;

    if (!cx_supervoxel_graph_supervoxel(project->graph, supervoxel, &former,
                                        NULL)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "there is no supervoxel %" G_GUINT64_FORMAT, supervoxel);
        return false;
    }
    if (plan->draft == NULL)
        plan->draft = cx_voxel_draft_new(project);
    g_autoptr(GArray) sources = g_array_new(FALSE, FALSE, sizeof(CxVoxel));
    g_autoptr(GArray) sinks = g_array_new(FALSE, FALSE, sizeof(CxVoxel));
    Cut cut = {
        .project = project,
        .draft = plan->draft,
        .id = supervoxel,
        .source_id = cx_project_next_id(project),
        .sink_id = cx_project_next_id(project),
        .box = choose_box(project, &former, seeds),
        .sources = sources,
        .sinks = sinks,
        .job = job,
    };

    return divide(&cut, plan, segment, &former, seeds, error);
}
