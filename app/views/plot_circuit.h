/* A circuit: nodes in columns from left to right, and signed connections.
 *
 * Width says how strong a connection is, colour and ending its sign: orange
 * with an arrow excites, blue with a bar inhibits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/views/plot_figure.h"

#include <stddef.h>

typedef struct CxuiCircuit CxuiCircuit;

CxuiCircuit *cxui_circuit_new(const char *title);
void cxui_circuit_clear(CxuiCircuit *circuit);

/* Returns the node's number.  detail is a second line, or NULL; off: taken
 * out (hollow, its lines dashed); colour: its frame. */
unsigned cxui_circuit_add_node(CxuiCircuit *circuit, unsigned column,
                               const char *name, const char *detail, int colour,
                               bool off);

/* label may be NULL.  Weights are drawn relative to the largest one; 0 is a
 * plain thin line. */
void cxui_circuit_connect(CxuiCircuit *circuit, unsigned from, unsigned to,
                          double weight, const char *label);

void cxui_circuit_set_empty(CxuiCircuit *circuit, const char *text);

/* part_at() of the figure gives the node's number. */
static inline CxuiFigure *
cxui_circuit_figure(CxuiCircuit *circuit)
{
    return (CxuiFigure *)circuit;
}
