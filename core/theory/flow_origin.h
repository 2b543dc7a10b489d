/* Which layer a channel comes from: for flow_*.c alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/theory/flow_net.h"

/* node 0 (the input) also stands for a sum of several layers. */
typedef struct {
    unsigned node;
    uint32_t channel;
} CxFlowOrigin;

/* For each node and channel the layer with weights it comes from; ends with
 * NULL. */
CxFlowOrigin **cx_flow_origins(const CxFlowNet *net);
void cx_flow_origins_free(CxFlowOrigin **origins);

/* For a hash table of g_int64_hash; owned. */
static inline void *
cx_flow_origin_key(CxFlowOrigin origin)
{
    int64_t key = (int64_t)origin.node << 32 | origin.channel;

    return g_memdup2(&key, sizeof key);
}
