/* Edges across sections.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/block_sections.h"

#include "core/base/alloc.h"
#include "core/base/hash64.h"
#include "core/segmentation/agglomerate.h"
#include "core/segmentation/region_graph.h"
#include "core/segmentation/section_fusion.h"

#include <math.h>

typedef struct {
    const CxBlockInput *input;
    const CxBlockOptions *options;
    const CxAffinities *affinities;
    CxBox box; /* of labels */
    CxVoxel size;
    size_t n;
    uint32_t count;
    uint32_t *labels;   /* dense, over box */
    uint32_t *profiles; /* the same, joined within sections */
    CxId *ids;          /* by label; 0 = not to be linked */
    uint32_t first;     /* label of the block's own before its first */
} Links;

/* --- profiles ---------------------------------------------------------------- */

static GArray *
edges_in_sections(const Links *links)
{
    g_autoptr(CxContacts) contacts = cx_contacts_new();
    size_t nx = (size_t)links->size.x;

    for (int64_t z = links->box.lo.z; z < links->box.hi.z; z++) {
        for (int64_t y = links->box.lo.y; y < links->box.hi.y; y++) {
            CxVoxel first = {links->box.lo.x, y, z};
            const uint32_t *row =
                links->labels + cx_box_offset(links->box, first);
            size_t at =
                cx_box_offset(cx_chunk_box(links->input->prediction), first);
            const uint8_t *ax = links->affinities->near_axis[0];
            const uint8_t *ay = links->affinities->near_axis[1];

            cx_contacts_add_row(contacts, row, row + 1,
                                ax != NULL ? ax + at : NULL, nx - 1);
            if (y + 1 < links->box.hi.y)
                cx_contacts_add_row(contacts, row, row + nx,
                                    ay != NULL ? ay + at : NULL, nx);
        }
    }
    g_autoptr(GArray) sorted = cx_contacts_sorted(contacts);
    GArray *edges =
        g_array_sized_new(FALSE, FALSE, sizeof(CxEdge), sorted->len);
    for (guint i = 0; i < sorted->len; i++) {
        const CxContact *c = &g_array_index(sorted, CxContact, i);
        CxEdge edge = {c->a, c->b, (float)((double)c->sum / c->n_faces / 255),
                       c->n_faces};
        g_array_append_val(edges, edge);
    }
    return edges;
}

static bool
join_profiles(Links *links, CxJob *job, GError **error)
{
    CxAgglomerateOptions options = {.threshold = links->options->threshold,
                                    .tree_threshold = INFINITY};
    g_autoptr(GArray) edges = edges_in_sections(links);
    g_autoptr(GArray) nodes =
        g_array_sized_new(FALSE, TRUE, sizeof(CxSupervoxel), links->count);

    g_array_set_size(nodes, links->count);
    for (uint32_t i = 0; i < links->count; i++)
        g_array_index(nodes, CxSupervoxel, i).id = i + 1;
    g_autoptr(GArray) joined =
        cx_agglomerate(nodes, edges, NULL, &options, NULL, job, error);
    if (joined == NULL)
        return false;
    for (size_t i = 0; i < links->n; i++) {
        uint32_t label = links->labels[i];
        links->profiles[i] =
            label != 0 ? (uint32_t)g_array_index(joined, CxId, label - 1) : 0;
    }
    return true;
}

/* --- ids ---------------------------------------------------------------------- */

/* Names the fragments of the section beside the block by what the face says
 * of their voxels. */
static void
name_strangers(Links *links, CxChunk *face)
{
    CxBox box = cx_chunk_box(face);
    CxBox own = links->input->box;
    CxBox both = cx_box_intersect(box, links->box);

    for (int64_t z = both.lo.z; z < both.hi.z; z++) {
        if (z >= own.lo.z && z < own.hi.z)
            continue;
        for (int64_t y = both.lo.y; y < both.hi.y; y++) {
            for (int64_t x = both.lo.x; x < both.hi.x; x++) {
                CxVoxel at = {x, y, z};
                uint32_t label = links->labels[cx_box_offset(links->box, at)];
                if (links->ids[label] == 0)
                    links->ids[label] = cx_chunk_label_at(face, at);
            }
        }
    }
}

static void
name_labels(Links *links)
{
    CxBox own = links->input->box;
    size_t area = (size_t)(links->size.x * links->size.y);
    size_t start = (size_t)(own.lo.z - links->box.lo.z) * area;
    size_t end = (size_t)(own.hi.z - links->box.lo.z) * area;
    uint32_t last = 0;

    for (size_t i = 0; i < start; i++)
        links->first = MAX(links->first, links->labels[i]);
    for (size_t i = start; i < end; i++)
        last = MAX(last, links->labels[i]);
    last = MAX(last, links->first);
    for (uint32_t label = links->first + 1; label <= last; label++)
        links->ids[label] = links->input->first_id + label - links->first - 1;
    links->count = last - links->first;
    for (int f = 4; links->input->faces != NULL && f < 6; f++) {
        if (links->input->faces[f] != NULL)
            name_strangers(links, links->input->faces[f]);
    }
    links->ids[0] = 0;
}

/* --- links -------------------------------------------------------------------- */

/* One row of overlapping pixels: fragments that overlap in linked profiles. */
static void
link_row(const Links *links, const CxSectionPair *pair, CxContacts *contacts,
         size_t below, size_t above, size_t n)
{
    uint32_t last_a = 0, last_b = 0;
    uint8_t score = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t a = links->profiles[below + i];
        uint32_t b = links->profiles[above + i];
        if (a == 0 || b == 0)
            continue;
        if (a != last_a || b != last_b) {
            last_a = a;
            last_b = b;
            score = (uint8_t)lroundf(255 * cx_section_pair_score(pair, a, b));
        }
        cx_contacts_add_row(contacts, links->labels + below + i,
                            links->labels + above + i, &score, 1);
    }
}

static void
link_sections(const Links *links, const CxSectionPair *pair,
              CxContacts *contacts)
{
    CxVoxel size = links->size;
    int64_t x0 = MAX(0, -pair->dx), x1 = MIN(size.x, size.x - pair->dx);
    int64_t y0 = MAX(0, -pair->dy), y1 = MIN(size.y, size.y - pair->dy);

    for (int64_t y = y0; y < y1 && x0 < x1; y++) {
        int64_t below = (pair->below * size.y + y) * size.x + x0;
        int64_t above =
            (pair->above * size.y + y + pair->dy) * size.x + x0 + pair->dx;
        link_row(links, pair, contacts, (size_t)below, (size_t)above,
                 (size_t)(x1 - x0));
    }
}

static GArray *
edges_of(const Links *links, const CxContacts *contacts)
{
    g_autoptr(GArray) sorted = cx_contacts_sorted(contacts);
    GArray *edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));

    for (guint i = 0; i < sorted->len; i++) {
        const CxContact *c = &g_array_index(sorted, CxContact, i);
        CxId a = links->ids[c->a], b = links->ids[c->b];
        CxEdge edge = {MIN(a, b), MAX(a, b),
                       (float)((double)c->sum / c->n_faces / 255), c->n_faces};
        bool is_ours = a >> 32 == links->input->first_id >> 32 ||
                       b >> 32 == links->input->first_id >> 32;

        if (a != 0 && b != 0 && is_ours)
            g_array_append_val(edges, edge);
    }
    return edges;
}

static GArray *
link_all(Links *links, unsigned n_threads, CxJob *job, GError **error)
{
    CxSectionFusionOptions options = {.max_shift =
                                          llround(links->options->max_shift),
                                      .n_threads = n_threads};
    g_autoptr(CxContacts) contacts = cx_contacts_new();

    if (!join_profiles(links, job, error))
        return NULL;
    g_autoptr(GPtrArray) pairs =
        cx_section_fusion(links->profiles, links->size, &options, job, error);
    if (pairs == NULL)
        return NULL;
    for (guint i = 0; i < pairs->len; i++) {
        if (!cx_job_step(job, i, pairs->len, error))
            return NULL;
        link_sections(links, g_ptr_array_index(pairs, i), contacts);
    }
    name_labels(links);
    return edges_of(links, contacts);
}

/* Leaves the block's own labels, from 1. */
static void
keep_inner(const Links *links)
{
    CxBox box = links->input->box;
    size_t start = cx_box_offset(links->box, box.lo), n = 0;

    cx_box_n_voxels(box, &n);
    for (size_t i = 0; i < n; i++) {
        uint32_t label = links->labels[start + i];
        links->labels[i] = label != 0 ? label - links->first : 0;
    }
}

GArray *
cx_block_section_links(const CxBlockInput *input, const CxBlockOptions *options,
                       const CxAffinities *affinities, uint32_t *labels,
                       CxBox box, uint32_t *count, unsigned n_threads,
                       CxJob *job, GError **error)
{
    size_t n = 0;

    cx_box_n_voxels(box, &n);
    CX_AUTOFREE uint32_t *profiles = cx_try_alloc(n, sizeof(uint32_t), error);
    if (profiles == NULL)
        return NULL;
    CX_AUTOFREE CxId *ids =
        cx_try_alloc0((size_t)*count + 1, sizeof(CxId), error);
    if (ids == NULL)
        return NULL;
    Links links = {.input = input,
                   .options = options,
                   .affinities = affinities,
                   .box = box,
                   .size = cx_box_size(box),
                   .n = n,
                   .count = *count,
                   .labels = labels,
                   .profiles = profiles,
                   .ids = ids};
    GArray *edges = link_all(&links, n_threads, job, error);
    if (edges != NULL) {
        keep_inner(&links);
        *count = links.count;
    }
    return edges;
}
