/* What a command provides, and what it is given.
 *
 * A command is one row: name, what it takes, its options, the function that
 * does the work.  The function runs in the life of context->job (a signal
 * cancels it, its progress is shown), reports results as key-value pairs, and
 * returns false with error: CXCLI_ERROR means wrong usage (exit code 2),
 * CX_ERROR_CANCELLED exit code 130, all else 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/cli/report.h"
#include "core/base/geometry.h"
#include "core/jobs/job.h"

typedef enum {
    CXCLI_FLAG,
    CXCLI_TEXT,
    CXCLI_INTEGER, /* not negative */
    CXCLI_REAL,
    CXCLI_BYTES,  /* 512M, 4GiB, 1e9 */
    CXCLI_ID,     /* 64 bits, not 0 */
    CXCLI_IDS,    /* a comma-separated list */
    CXCLI_VOXELS, /* one or more x,y,z; may be given again */
    CXCLI_NM,     /* x,y,z, positive reals */
    CXCLI_BOX,    /* x0,y0,z0,x1,y1,z1, half-open, not empty */
    CXCLI_SIZE,   /* WxH */
} CxcliKind;

typedef struct {
    const char *name; /* without the dashes */
    CxcliKind kind;
    const char *value; /* how the help calls it: "FILE" */
    const char *help;
} CxcliOption;

typedef struct CxcliContext CxcliContext;
typedef bool (*CxcliRun)(CxcliContext *context, GError **error);

typedef struct CxcliCommand {
    const char *name;
    const char *usage;   /* "VOLUME OUT" */
    const char *summary; /* one line for the list of commands */
    const char *text;    /* the rest of the help, or NULL */
    int min_args, max_args;
    const CxcliOption *options; /* ends with a name of NULL; or NULL */
    CxcliRun run;
    /* The commands behind this one ("retina simulate"), ending with NULL;
     * their names begin with this one's.  Such a command has no run. */
    const struct CxcliCommand *const *parts;
} CxcliCommand;

/* Common options, parsed. */
struct CxcliContext {
    const CxcliCommand *command;
    char **args; /* what is no option, NULL-terminated */
    int n_args;
    GHashTable *values; /* option → value (arguments.c) */
    bool json, quiet, force;
    unsigned n_threads;  /* 0 = all cores */
    size_t memory_bytes; /* 0 = defaults */
    CxJob *job;
    CxcliReport *report;
    int exit_code; /* after success: 0; check sets 1 */
};

#define CXCLI_ERROR (cxcli_error_quark())
GQuark cxcli_error_quark(void);

/* Sets a wrong-usage error. */
void cxcli_set_usage_error(GError **error, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* The commands, in the order of the help; ends with a name of NULL. */
extern const CxcliCommand *const cxcli_commands[];

extern const CxcliCommand cxcli_bench;
extern const CxcliCommand cxcli_calibrate;
extern const CxcliCommand cxcli_candidates;
extern const CxcliCommand cxcli_check;
extern const CxcliCommand cxcli_components;
extern const CxcliCommand cxcli_convert;
extern const CxcliCommand cxcli_edit;
extern const CxcliCommand cxcli_evaluate;
extern const CxcliCommand cxcli_export;
extern const CxcliCommand cxcli_graph;
extern const CxcliCommand cxcli_grow;
extern const CxcliCommand cxcli_info;
extern const CxcliCommand cxcli_log;
extern const CxcliCommand cxcli_mesh;
extern const CxcliCommand cxcli_predict;
extern const CxcliCommand cxcli_render;
extern const CxcliCommand cxcli_replay;
extern const CxcliCommand cxcli_retina;
extern const CxcliCommand cxcli_retina_attribute;
extern const CxcliCommand cxcli_retina_prune;
extern const CxcliCommand cxcli_retina_reduce;
extern const CxcliCommand cxcli_retina_report;
extern const CxcliCommand cxcli_retina_simulate;
extern const CxcliCommand cxcli_retina_train;
extern const CxcliCommand cxcli_retina_respond;
extern const CxcliCommand cxcli_sample;
extern const CxcliCommand cxcli_segment;
extern const CxcliCommand cxcli_skeleton;
extern const CxcliCommand cxcli_theory;
