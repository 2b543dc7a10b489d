/* A project: labels of another volume as supervoxels.
 *
 * One pass over tiles that overlap by one voxel, so that every contact face is
 * seen once: chunks are stored as they come, sizes and contacts are counted on
 * the way and stored at the end, with the mark that makes the import whole.
 *
 * Labels say nothing of how well a border is seen.  Membranes are dark in
 * electron microscopy, so an image tells: the affinity of a contact is where its
 * mean brightness lies between the darkest contacts and the image as a whole.
 * Without an image all contacts are alike.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/project_private.h"

/* Multiples of the stored chunk's side. */
static const CxVoxel tile_size = {256, 256, 64};

/* Affinity of a contact about which nothing is known. */
#define UNKNOWN_AFFINITY 0.5f

/* Of all faces, the darkest twentieth is what a membrane looks like. */
#define DARKEST 0.05

typedef struct {
    uint64_t n_faces;
    uint64_t light; /* sum over both voxels of each face */
} Contact;

typedef struct {
    CxProject *project;
    CxVolume *labels;
    CxHash64 *number_of; /* label → index into supervoxels */
    GArray *supervoxels;
    CxHash64 *contact_of;     /* pair of indices + 1 → index into contacts */
    GArray *contacts;         /* of Contact */
    CxSegmentFunc segment_of; /* NULL: each its own */
    void *user_data;

    CxVolume *image;      /* borrowed; NULL: nothing is known of contacts */
    const uint8_t *light; /* of the tile that is read, or NULL */
    uint64_t n_lit, sum_lit;
} Import;

static uint32_t
number_of(Import *import, CxId label, CxVoxel at)
{
    bool was_new;
    uint64_t number = *cx_hash64_at(import->number_of, label,
                                    import->supervoxels->len, &was_new);

    if (was_new) {
        CxSupervoxel fresh = {
            .id = label,
            .box = {at, {at.x + 1, at.y + 1, at.z + 1}},
            .inside = at,
        };

        g_array_append_val(import->supervoxels, fresh);
    }
    return (uint32_t)number;
}

/* A run of equal labels along x. */
static void
count_run(Import *import, CxId label, CxVoxel at, int64_t length)
{
    uint32_t number = number_of(import, label, at);
    CxSupervoxel *supervoxel =
        &g_array_index(import->supervoxels, CxSupervoxel, number);
    CxBox run = {at, {at.x + length, at.y + 1, at.z + 1}};

    supervoxel->n_voxels += (uint64_t)length;
    supervoxel->box = cx_box_union(supervoxel->box, run);
}

static Contact *
contact_between(Import *import, CxId a, CxId b, CxVoxel at_b)
{
    uint64_t left = number_of(import, a, at_b) + UINT64_C(1);
    uint64_t right = number_of(import, b, at_b) + UINT64_C(1);
    uint64_t key = MIN(left, right) << 32 | MAX(left, right);
    Contact none = {0, 0};
    bool was_new;
    uint64_t index =
        *cx_hash64_at(import->contact_of, key, import->contacts->len, &was_new);

    if (was_new)
        g_array_append_val(import->contacts, none);
    return &g_array_index(import->contacts, Contact, index);
}

/* The face between voxels a and b of the tile that was read. */
static void
count_face(Import *import, const CxId *labels, size_t a, size_t b, CxVoxel at_b)
{
    if (labels[b] == 0 || labels[a] == labels[b])
        return;
    Contact *contact = contact_between(import, labels[a], labels[b], at_b);

    contact->n_faces++;
    if (import->light != NULL)
        contact->light += (uint64_t)import->light[a] + import->light[b];
}

/* One row of the tile proper; the tile that was read reaches one voxel
 * further where the volume does. */
static void
count_row(Import *import, const CxChunk *read, CxVoxel at, int64_t end_x)
{
    CxBox box = cx_chunk_box(read);
    CxVoxel size = cx_box_size(box);
    const CxId *labels = cx_chunk_data(read);
    size_t first = cx_box_offset(box, at);
    const CxId *row = labels + first;
    bool has_y = at.y + 1 < box.hi.y, has_z = at.z + 1 < box.hi.z;
    int64_t n = end_x - at.x, n_read = box.hi.x - at.x;

    for (int64_t i = 0, start = 0; i < n; i++) {
        CxId label = row[i];
        bool ends = i + 1 == n || row[i + 1] != label;

        if (label != 0) {
            CxVoxel here = {at.x + i, at.y, at.z};
            size_t a = first + (size_t)i;

            if (i == start)
                number_of(import, label, here);
            if (i + 1 < n_read)
                count_face(import, labels, a, a + 1,
                           (CxVoxel){here.x + 1, here.y, here.z});
            if (has_y)
                count_face(import, labels, a, a + (size_t)size.x,
                           (CxVoxel){here.x, here.y + 1, here.z});
            if (has_z)
                count_face(import, labels, a, a + (size_t)(size.x * size.y),
                           (CxVoxel){here.x, here.y, here.z + 1});
            if (ends)
                count_run(import, label, (CxVoxel){at.x + start, at.y, at.z},
                          i + 1 - start);
        }
        if (ends)
            start = i + 1;
    }
}

static void
count_tile(Import *import, const CxChunk *read, CxBox tile)
{
    for (int64_t z = tile.lo.z; z < tile.hi.z; z++) {
        for (int64_t y = tile.lo.y; y < tile.hi.y; y++)
            count_row(import, read, (CxVoxel){tile.lo.x, y, z}, tile.hi.x);
    }
}

static bool
store_chunks(CxProject *project, const GArray *encoded, GError **error)
{
    if (!cx_journal_begin(project->journal, error))
        return false;
    if (cx_journal_set_meta(project->journal, "import_pending", 1, error) &&
        cx_project_put_chunks(project, encoded, error))
        return cx_journal_commit(project->journal, error);
    cx_journal_rollback(project->journal);
    return false;
}

/* Brightness of a tile; NULL without an image.  One that cannot be read is not
 * asked again: its labels are worth having all the same. */
static CxChunk *
read_light(Import *import, CxBox box, CxJob *job)
{
    g_autoptr(GError) error = NULL;

    if (import->image == NULL)
        return NULL;
    CxChunk *light = cx_volume_read_u8(import->image, 0, box, job, &error);

    if (light == NULL) {
        g_info("%s: contacts are not weighed: %s", import->project->path,
               error->message);
        import->image = NULL;
        return NULL;
    }
    const uint8_t *samples = cx_chunk_data(light);

    for (size_t i = 0; i < cx_chunk_n_voxels(light); i++)
        import->sum_lit += samples[i];
    import->n_lit += cx_chunk_n_voxels(light);
    return light;
}

static bool
import_tile(Import *import, CxBox tile, CxJob *job, GError **error)
{
    CxBox wanted = cx_box_intersect(
        (CxBox){tile.lo, {tile.hi.x + 1, tile.hi.y + 1, tile.hi.z + 1}},
        cx_project_bounds(import->project));
    g_autoptr(CxChunk) read =
        cx_volume_read_labels(import->labels, 0, wanted, NULL, error);
    g_autoptr(CxChunk) proper =
        read != NULL ? cx_chunk_new(CX_DTYPE_U64, tile, 1, error) : NULL;

    if (proper == NULL)
        return false;
    cx_chunk_copy_overlap(proper, read);

    g_autoptr(GArray) encoded =
        cx_project_encode_labels(import->project, proper, job, error);

    if (encoded == NULL || !store_chunks(import->project, encoded, error))
        return false;
    g_autoptr(CxChunk) light = read_light(import, wanted, job);

    import->light = light != NULL ? cx_chunk_data(light) : NULL;
    count_tile(import, read, tile);
    import->light = NULL;
    return true;
}

static bool
import_tiles(Import *import, CxJob *job, GError **error)
{
    CxBox bounds = cx_project_bounds(import->project);
    CxBox grid = cx_box_chunks(bounds, tile_size);
    CxVoxel n = cx_box_size(grid);
    uint64_t total = (uint64_t)(n.x * n.y * n.z), done = 0;
    CxChunkIdx i;

    for (i.z = 0; i.z < n.z; i.z++) {
        for (i.y = 0; i.y < n.y; i.y++) {
            for (i.x = 0; i.x < n.x; i.x++) {
                CxBox tile = cx_chunk_box_clipped(i, tile_size, bounds);

                if (!cx_job_step(job, done++, total, error) ||
                    !import_tile(import, tile, job, error))
                    return false;
            }
        }
    }
    return true;
}

static int
compare_supervoxels(const void *a, const void *b)
{
    const CxSupervoxel *left = a, *right = b;

    return left->id < right->id ? -1 : left->id > right->id;
}

static int
compare_edges(const void *a, const void *b)
{
    const CxEdge *left = a, *right = b;

    if (left->a != right->a)
        return left->a < right->a ? -1 : 1;
    return left->b < right->b ? -1 : left->b > right->b;
}

static double
brightness(const Contact *contact)
{
    return (double)contact->light / (2.0 * (double)contact->n_faces);
}

/* The brightness below which DARKEST of all faces lie (0 … 255). */
static double
dark_level(const GArray *contacts)
{
    uint64_t histogram[256] = {0}, total = 0, below = 0;
    unsigned level = 0;

    for (guint i = 0; i < contacts->len; i++) {
        const Contact *contact = &g_array_index(contacts, Contact, i);

        histogram[(unsigned)brightness(contact)] += contact->n_faces;
        total += contact->n_faces;
    }
    while (level < 255 &&
           (double)(below += histogram[level]) < DARKEST * (double)total)
        level++;
    return level;
}

/* Sets the affinity of each contact (in order). */
static void
weigh_contacts(const Import *import, float *affinities)
{
    double dark = dark_level(import->contacts);
    double mean =
        import->n_lit > 0 ? (double)import->sum_lit / (double)import->n_lit : 0;
    bool is_known = import->image != NULL && mean > dark + 1;

    for (guint i = 0; i < import->contacts->len; i++) {
        const Contact *contact = &g_array_index(import->contacts, Contact, i);
        double place = is_known ? (brightness(contact) - dark) / (mean - dark)
                                : (double)UNKNOWN_AFFINITY;

        affinities[i] = (float)CLAMP(place, 0, 1);
    }
}

static void
fill_part(Import *import, CxGraphPart *part)
{
    g_autofree float *affinities = g_new(float, import->contacts->len + 1);
    size_t cursor = 0;
    uint64_t key, index;

    weigh_contacts(import, affinities);
    while (cx_hash64_next(import->contact_of, &cursor, &key, &index)) {
        uint64_t faces =
            g_array_index(import->contacts, Contact, index).n_faces;
        CxId a =
            g_array_index(import->supervoxels, CxSupervoxel, (key >> 32) - 1)
                .id;
        CxId b = g_array_index(import->supervoxels, CxSupervoxel,
                               (key & UINT32_MAX) - 1)
                     .id;
        CxEdge edge = {MIN(a, b), MAX(a, b), affinities[index],
                       (uint32_t)MIN(faces, UINT32_MAX)};

        g_array_append_val(part->edges, edge);
    }
    g_array_sort(part->edges, compare_edges);
    g_array_append_vals(part->supervoxels, import->supervoxels->data,
                        import->supervoxels->len);
    g_array_sort(part->supervoxels, compare_supervoxels);
    for (guint i = 0; i < part->supervoxels->len; i++) {
        CxId id = g_array_index(part->supervoxels, CxSupervoxel, i).id;
        CxId segment = import->segment_of != NULL
                           ? import->segment_of(id, import->user_data)
                           : id;

        g_array_append_val(part->segments, segment);
    }
}

static CxId
largest_id(const CxGraphPart *part)
{
    guint n = part->supervoxels->len;

    return n > 0 ? g_array_index(part->supervoxels, CxSupervoxel, n - 1).id : 0;
}

/* The whole volume is one block of the grid. */
static bool
store_part(CxProject *project, CxGraphPart *part, GError **error)
{
    CxVoxel first = {0, 0, 0};

    if (!cx_journal_begin(project->journal, error))
        return false;
    if (cx_journal_add_part(project->journal, part, error) &&
        cx_journal_add_block(project->journal, first, part->part, error) &&
        cx_project_init_grid(project, project->note.size, largest_id(part),
                             error) &&
        cx_journal_set_meta(project->journal, "import_pending", 0, error)) {
        if (cx_journal_commit(project->journal, error))
            return true;
    } else {
        cx_journal_rollback(project->journal);
    }
    cx_project_reset_grid(project);
    return false;
}

static bool
import_all(Import *import, CxJob *job, GError **error)
{
    CxProject *project = import->project;
    g_auto(CxGraphPart) part = {0};

    if (!import_tiles(import, job, error))
        return false;
    cx_graph_part_init(&part);
    fill_part(import, &part);
    g_mutex_lock(&project->edit_lock);
    bool ok = store_part(project, &part, error);

    if (ok) {
        cx_supervoxel_graph_add(project->graph, part.supervoxels, part.edges,
                                (const CxId *)(void *)part.segments->data);
        cx_project_note_block(project, (CxVoxel){0, 0, 0});
    }
    g_mutex_unlock(&project->edit_lock);
    return ok;
}

static bool
check_target(CxProject *project, CxVolume *labels, GError **error)
{
    CxVoxel found = cx_volume_level(labels, 0).size;
    CxVoxel expected = project->note.size;

    if (project->read_only) {
        g_set_error(error, CX_ERROR, CX_ERROR_READ_ONLY, "%s is open read-only",
                    project->path);
        return false;
    }
    if (cx_project_n_blocks(project, NULL) > 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s holds a segmentation already; labels can only be "
                    "taken into an empty project",
                    project->path);
        return false;
    }
    if (cx_voxel_equal(found, expected))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s has %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                " × %" G_GINT64_FORMAT " voxels, expected %" G_GINT64_FORMAT
                " × %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                " as in the image",
                cx_volume_spec(labels), found.x, found.y, found.z, expected.x,
                expected.y, expected.z);
    return false;
}

static bool
clear_chunks(CxProject *project, GError **error)
{
    bool ok = cx_journal_begin(project->journal, error);

    if (ok &&
        (!cx_journal_clear_chunks(project->journal, error) ||
         !cx_journal_set_meta(project->journal, "import_pending", 0, error))) {
        cx_journal_rollback(project->journal);
        ok = false;
    } else if (ok) {
        ok = cx_journal_commit(project->journal, error);
    }
    cx_project_drop_cache(project);
    return ok;
}

bool
cx_project_finish_import(CxProject *project, GError **error)
{
    int64_t pending = 0;

    if (!cx_journal_get_meta(project->journal, "import_pending", &pending,
                             error))
        return false;
    return pending == 0 || clear_chunks(project, error);
}

static bool
import_labels(CxProject *project, CxVolume *labels, CxSegmentFunc segment_of,
              void *user_data, CxJob *job, GError **error)
{
    g_autoptr(CxHash64) numbers = cx_hash64_new(1024);
    g_autoptr(CxHash64) contact_of = cx_hash64_new(4096);
    g_autoptr(GArray) supervoxels =
        g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    g_autoptr(GArray) contacts = g_array_new(FALSE, FALSE, sizeof(Contact));
    CxVolume *image = cx_project_image(project);
    Import import = {
        .project = project,
        .labels = labels,
        .number_of = numbers,
        .supervoxels = supervoxels,
        .contact_of = contact_of,
        .contacts = contacts,
        .segment_of = segment_of,
        .user_data = user_data,
        .image = image != NULL && !cx_volume_is_labels(image) ? image : NULL,
    };
    g_autoptr(GError) ignored = NULL;

    if (!check_target(project, labels, error))
        return false;
    if (import_all(&import, job, error)) {
        cx_project_drop_cache(project);
        return true;
    }
    /* What cannot be cleared now is cleared when the project is opened. */
    if (!clear_chunks(project, &ignored))
        g_debug("%s", ignored->message);
    return false;
}

bool
cx_project_import_supervoxels(CxProject *project, CxVolume *labels,
                              CxSegmentFunc segment_of, void *user_data,
                              CxJob *job, GError **error)
{
    g_mutex_lock(&project->segment_lock);
    bool ok = import_labels(project, labels, segment_of, user_data, job, error);

    g_mutex_unlock(&project->segment_lock);
    return ok;
}

bool
cx_project_import_labels(CxProject *project, CxVolume *labels, CxJob *job,
                         GError **error)
{
    return cx_project_import_supervoxels(project, labels, NULL, NULL, job,
                                         error);
}
