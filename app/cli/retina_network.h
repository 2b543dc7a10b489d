/* What the retina commands share: the network an argument names, the films
 * its options describe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/cli/arguments.h"
#include "core/retina/circuit.h"
#include "core/retina/reduction.h"

/* The shipped network that stands where none is named. */
#define CXCLI_RETINA_DEFAULT "retina-mixed"

/* A path ending in .h5 or the name of a shipped network; NULL: the default. */
CxRetinaCnn *cxcli_retina_load(const char *spec, GError **error);

/* --protocol; CX_N_PROTOCOLS if it was not given. */
bool cxcli_retina_protocol(const CxcliContext *context, CxProtocolKind *kind,
                           GError **error);

/* --preset and --amplitude. */
bool cxcli_retina_films(const CxcliContext *context, CxProtocolOptions *films,
                        GError **error);

/* --order, --seed; films and protocol as above.  scores and order have room
 * for every channel of layer 1. */
bool cxcli_retina_order(const CxcliContext *context, const CxRetinaCnn *net,
                        CxProtocolKind kind, const CxProtocolOptions *films,
                        CxChannelOrder otherwise, double *scores,
                        unsigned *order, GError **error);

/* --fate zero|hold. */
bool cxcli_retina_fate(const CxcliContext *context, CxRetinaFate *fate,
                       GError **error);

/* NET and OUT.csv among the arguments, either may be left out. */
void cxcli_retina_split_args(const CxcliContext *context, const char **net,
                             const char **out);

/* "channels": the nodes of a circuit; labels: of every channel of layer 1. */
void cxcli_retina_report_channels(CxcliReport *report, const CxCircuit *circuit,
                                  const CxChannelLabel *labels);
