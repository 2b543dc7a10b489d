/* What is drawn of a network's output.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/prediction_map.h"

#include <math.h>
#include <string.h>

static int64_t
length_of(CxVoxel offset)
{
    return ABS(offset.x) + ABS(offset.y) + ABS(offset.z);
}

static char *
name_of_offset(CxVoxel offset)
{
    int n_axes = (offset.x != 0) + (offset.y != 0) + (offset.z != 0);
    const char *axis = offset.x != 0 ? "x" : offset.y != 0 ? "y" : "z";

    if (n_axes != 1)
        return g_strdup_printf("Apart over %" G_GINT64_FORMAT
                               ", %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
                               " voxels",
                               offset.x, offset.y, offset.z);
    if (length_of(offset) == 1)
        return g_strdup_printf("Apart along %s", axis);
    return g_strdup_printf("Apart along %s, %" G_GINT64_FORMAT " voxels", axis,
                           length_of(offset));
}

char *
cxui_prediction_dup_channel_name(const CxNetwork *network, int channel)
{
    if (channel < 0 || (unsigned)channel >= cx_network_n_outputs(network))
        return g_strdup("Boundary");
    CxOutput output = cx_network_output(network, (unsigned)channel);
    return output.kind == CX_OUTPUT_BOUNDARY ? g_strdup("Boundary")
                                             : name_of_offset(output.offset);
}

/* Keeps the larger evidence; affinities are turned round. */
static void
add_channel(uint8_t *restrict to, const uint8_t *restrict from, size_t n,
            uint8_t turn)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t apart = from[i] ^ turn; /* 255 - x is x ^ 255 */

        to[i] = MAX(to[i], apart);
    }
}

static void
collect(const CxNetwork *network, const CxChunk *outputs, int channel,
        uint8_t *to)
{
    size_t n = cx_chunk_n_voxels(outputs);
    bool all =
        channel < 0 || (unsigned)channel >= cx_network_n_outputs(network);

    memset(to, 0, n);
    for (unsigned c = 0; c < cx_network_n_outputs(network); c++) {
        CxOutput output = cx_network_output(network, c);
        bool boundary = output.kind == CX_OUTPUT_BOUNDARY;

        if (all ? !boundary && length_of(output.offset) != 1
                : c != (unsigned)channel)
            continue;
        if (all && boundary)
            memset(to, 0, n);
        add_channel(to, cx_chunk_channel(outputs, c), n, boundary ? 0 : 255);
        if (all && boundary)
            return;
    }
}

CxChunk *
cxui_prediction_map(const CxNetwork *network, const CxChunk *outputs,
                    const CxuiPredictionLook *look)
{
    CxChunk *map = cx_chunk_new(CX_DTYPE_U8, cx_chunk_box(outputs), 1, NULL);
    uint8_t table[256];

    if (map == NULL)
        return NULL;
    uint8_t *to = cx_chunk_data_mut(map);
    collect(network, outputs, look->channel, to);
    if (look->gamma == 1.0 && look->weight == 1.0)
        return map;
    for (int v = 0; v < 256; v++)
        table[v] = (uint8_t)(255.0 * look->weight *
                                 pow((double)v / 255.0, look->gamma) +
                             0.5);
    for (size_t i = 0; i < cx_chunk_n_voxels(map); i++)
        to[i] = table[to[i]];
    return map;
}
