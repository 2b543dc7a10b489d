/* connexon-cli: picks the command, runs it as a job, prints what it found.
 *
 * Exit codes: 0 done, 1 failed (one sentence on stderr), 2 wrong usage,
 * 130 cancelled.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/arguments.h"
#include "app/cli/manual.h"
#include "app/cli/progress.h"
#include "core/base/error.h"

#include <stdio.h>
#include <string.h>

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_CANCELLED = 130,
};

const CxcliCommand *const cxcli_commands[] = {
    &cxcli_info,
    &cxcli_sample,
    &cxcli_convert,
    &cxcli_predict,
    &cxcli_segment,
    &cxcli_grow,
    &cxcli_evaluate,
    &cxcli_components,
    &cxcli_graph,
    &cxcli_mesh,
    &cxcli_skeleton,
    &cxcli_candidates,
    &cxcli_edit,
    &cxcli_log,
    &cxcli_replay,
    &cxcli_export,
    &cxcli_check,
    &cxcli_render,
    &cxcli_retina,
    &cxcli_calibrate,
    &cxcli_theory,
    &cxcli_bench,
    NULL,
};

static const CxcliCommand *
find_command(const CxcliCommand *const *commands, const char *name)
{
    for (unsigned i = 0; commands[i] != NULL; i++) {
        const char *space = strrchr(commands[i]->name, ' ');
        const char *own = space != NULL ? space + 1 : commands[i]->name;

        if (strcmp(own, name) == 0)
            return commands[i];
    }
    return NULL;
}

/* The command that words begin with, which move behind its name; NULL after a
 * sentence on stderr if there is none.  A command of parts followed by no name
 * stays itself: its help may be asked for. */
static const CxcliCommand *
take_command(char ***words)
{
    const CxcliCommand *const *commands = cxcli_commands;
    const CxcliCommand *command = NULL;

    while (commands != NULL && **words != NULL &&
           !g_str_has_prefix(**words, "--")) {
        const CxcliCommand *part = find_command(commands, **words);
        const char *name = command != NULL ? command->name : "";

        if (part == NULL) {
            fprintf(stderr,
                    "connexon-cli: there is no command \"%s%s%s\"; "
                    "connexon-cli %s%s--help lists them\n",
                    name, *name != '\0' ? " " : "", **words, name,
                    *name != '\0' ? " " : "");
            return NULL;
        }
        command = part;
        commands = part->parts;
        (*words)++;
    }
    return command;
}

static int
fail(const GError *error)
{
    bool usage = error->domain == CXCLI_ERROR;

    if (cx_error_is_cancelled(error)) {
        fprintf(stderr, "connexon-cli: cancelled\n");
        return EXIT_CANCELLED;
    }
    fprintf(stderr, "connexon-cli: %s\n", error->message);
    return usage ? EXIT_USAGE : EXIT_FAILED;
}

static bool
run_command(CxJob *job, void *data, GError **error)
{
    CxcliContext *context = data;

    return context->command->run(context, error);
}

static int
run(CxcliContext *context)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxJob) job = cx_job_new(context->command->name);
    g_autoptr(CxcliReport) report = cxcli_report_new();
    CxcliProgress *progress = cxcli_progress_new(job, context->quiet);

    context->job = job;
    context->report = report;
    bool done = cx_job_run(job, run_command, context, &error);
    cxcli_progress_end(progress);
    if (!done)
        return fail(error);
    g_autofree char *text = cxcli_report_finish(report, context->json);
    if (fputs(text, stdout) < 0 || fflush(stdout) != 0) {
        fprintf(stderr, "connexon-cli: cannot write to the standard output\n");
        return EXIT_FAILED;
    }
    return context->exit_code;
}

static int
parse_and_run(CxcliContext *context, char **words)
{
    g_autoptr(GError) error = NULL;
    CxcliAsk ask;

    if (!cxcli_parse(context, words, &ask, &error))
        return fail(error);
    if (ask == CXCLI_ASK_HELP) {
        cxcli_print_help(context->command);
        return EXIT_DONE;
    }
    if (ask == CXCLI_ASK_MAN) {
        cxcli_print_man();
        return EXIT_DONE;
    }
    if (ask == CXCLI_ASK_VERSION) {
        printf("connexon-cli %s\n", CX_VERSION);
        return EXIT_DONE;
    }
    if (context->command == NULL) {
        fprintf(stderr, "connexon-cli: a command is missing; connexon-cli "
                        "--help lists them\n");
        return EXIT_USAGE;
    }
    if (context->command->run == NULL) {
        fprintf(stderr,
                "connexon-cli: %s: a command is missing; connexon-cli %s "
                "--help lists them\n",
                context->command->name, context->command->name);
        return EXIT_USAGE;
    }
    return run(context);
}

int
main(int argc, char **argv)
{
    CxcliContext context = {0};
    char **words = argv + MIN(argc, 1);

    if (*words != NULL && !g_str_has_prefix(*words, "--")) {
        context.command = take_command(&words);
        if (context.command == NULL)
            return EXIT_USAGE;
    }
    int code = parse_and_run(&context, words);
    cxcli_context_clear(&context);
    return code;
}
