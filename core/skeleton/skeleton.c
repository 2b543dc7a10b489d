/* The centre line of an object.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/skeleton/skeleton.h"

#include <math.h>

CxSkeleton *
cx_skeleton_new(void)
{
    CxSkeleton *skeleton = g_new0(CxSkeleton, 1);

    skeleton->nodes = g_array_new(false, false, sizeof(CxSkeletonNode));
    return skeleton;
}

void
cx_skeleton_free(CxSkeleton *skeleton)
{
    if (skeleton == NULL)
        return;
    g_array_unref(skeleton->nodes);
    g_free(skeleton);
}

size_t
cx_skeleton_n_nodes(const CxSkeleton *skeleton)
{
    return skeleton->nodes->len;
}

static CxSkeletonNode *
node_at(const CxSkeleton *skeleton, size_t i)
{
    return &g_array_index(skeleton->nodes, CxSkeletonNode, i);
}

const CxSkeletonNode *
cx_skeleton_node(const CxSkeleton *skeleton, size_t i)
{
    return node_at(skeleton, i);
}

int64_t
cx_skeleton_add(CxSkeleton *skeleton, CxNm at, double radius_nm, int64_t parent)
{
    CxSkeletonNode node = {at, radius_nm, parent};

    g_assert(parent < (int64_t)skeleton->nodes->len);
    g_array_append_val(skeleton->nodes, node);
    return (int64_t)skeleton->nodes->len - 1;
}

double
cx_skeleton_length_nm(const CxSkeleton *skeleton)
{
    double sum = 0;

    for (size_t i = 0; i < skeleton->nodes->len; i++) {
        const CxSkeletonNode *node = node_at(skeleton, i);

        if (node->parent < 0)
            continue;
        CxNm to = node_at(skeleton, (size_t)node->parent)->at;
        sum += hypot(hypot(node->at.x - to.x, node->at.y - to.y),
                     node->at.z - to.z);
    }
    return sum;
}

GArray *
cx_skeleton_degrees(const CxSkeleton *skeleton)
{
    guint n = skeleton->nodes->len;
    GArray *degrees =
        g_array_sized_new(false, true, sizeof(uint32_t), MAX(n, 1));

    g_array_set_size(degrees, n);
    for (size_t i = 0; i < n; i++) {
        int64_t parent = node_at(skeleton, i)->parent;

        if (parent < 0)
            continue;
        g_array_index(degrees, uint32_t, i)++;
        g_array_index(degrees, uint32_t, parent)++;
    }
    return degrees;
}

/* sums[i]: of the positions of the neighbours of node i. */
static void
add_neighbours(const CxSkeleton *skeleton, CxNm *sums)
{
    for (size_t i = 0; i < skeleton->nodes->len; i++) {
        const CxSkeletonNode *node = node_at(skeleton, i);

        if (node->parent < 0)
            continue;
        const CxSkeletonNode *parent = node_at(skeleton, (size_t)node->parent);
        CxNm *to = &sums[node->parent], *own = &sums[i];
        *to =
            (CxNm){to->x + node->at.x, to->y + node->at.y, to->z + node->at.z};
        *own = (CxNm){own->x + parent->at.x, own->y + parent->at.y,
                      own->z + parent->at.z};
    }
}

void
cx_skeleton_smooth(CxSkeleton *skeleton, unsigned n_rounds)
{
    size_t n = skeleton->nodes->len;
    g_autoptr(GArray) degrees = cx_skeleton_degrees(skeleton);

    for (unsigned round = 0; round < n_rounds; round++) {
        g_autofree CxNm *sums = g_new0(CxNm, n + 1);

        add_neighbours(skeleton, sums);
        for (size_t i = 0; i < n; i++) {
            CxNm *at = &node_at(skeleton, i)->at;

            if (g_array_index(degrees, uint32_t, i) == 2)
                *at = (CxNm){(at->x + sums[i].x) / 3, (at->y + sums[i].y) / 3,
                             (at->z + sums[i].z) / 3};
        }
    }
}
