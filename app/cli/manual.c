/* The help and the man page, made from the table of commands.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/manual.h"

#include "app/cli/arguments.h"

#include <stdio.h>
#include <string.h>

static char *
option_text(const CxcliOption *option)
{
    return option->value != NULL
               ? g_strdup_printf("--%s %s", option->name, option->value)
               : g_strdup_printf("--%s", option->name);
}

static void
print_options(const CxcliOption *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        g_autofree char *left = option_text(options);

        printf("  %-24s %s\n", left, options->help);
    }
}

/* By the last word of their names: what is typed next. */
static void
print_commands(const CxcliCommand *const *commands)
{
    for (unsigned i = 0; commands[i] != NULL; i++) {
        const char *space = strrchr(commands[i]->name, ' ');

        printf("  %-12s %s\n", space != NULL ? space + 1 : commands[i]->name,
               commands[i]->summary);
    }
}

static void
print_command_help(const CxcliCommand *command)
{
    printf("connexon-cli %s %s\n\n%s.\n", command->name, command->usage,
           command->summary);
    if (command->text != NULL)
        printf("\n%s\n", command->text);
    if (command->parts != NULL) {
        printf("\nCommands (connexon-cli %s COMMAND --help tells more):\n",
               command->name);
        print_commands(command->parts);
    }
    if (command->options != NULL) {
        printf("\nOptions:\n");
        print_options(command->options);
    }
}

static void
print_program_help(void)
{
    printf("connexon-cli COMMAND … — from EM volumes to corrected neurons\n"
           "\nCommands (connexon-cli COMMAND --help tells more):\n");
    print_commands(cxcli_commands);
    printf("\nA volume is a file or folder, with :/dataset for one inside: "
           "a.h5:/volumes/raw,\nstack.tif, slices/, a.zarr.  Positions are "
           "voxels x,y,z of the finest level,\nboxes x0,y0,z0,x1,y1,z1, "
           "half-open.\n");
}

void
cxcli_print_help(const CxcliCommand *command)
{
    if (command != NULL)
        print_command_help(command);
    else
        print_program_help();
    printf("\nCommon options:\n");
    print_options(cxcli_common_options);
}

/* Text for roff: minus signs are minus signs, a dot at the start of a line is
 * no request. */
static char *
escape(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (; *text != '\0'; text++) {
        if (*text == '-' || *text == '\\')
            g_string_append_c(out, '\\');
        if (*text == '\\')
            g_string_append(out, "e");
        else if (*text == '.' && (out->len == 0 || text[-1] == '\n'))
            g_string_append(out, "\\&.");
        else
            g_string_append_c(out, *text);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void
print_man_options(const CxcliOption *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        g_autofree char *left = option_text(options);
        g_autofree char *name = escape(left);
        g_autofree char *help = escape(options->help);

        printf(".TP\n.B %s\n%s\n", name, help);
    }
}

static void
print_man_command(const CxcliCommand *command)
{
    g_autofree char *usage = escape(command->usage);
    g_autofree char *summary = escape(command->summary);
    g_autofree char *text =
        command->text != NULL ? escape(command->text) : g_strdup("");

    printf(".SS %s %s\n%s.\n%s\n", command->name, usage, summary, text);
    print_man_options(command->options);
    for (unsigned i = 0; command->parts != NULL && command->parts[i] != NULL;
         i++)
        print_man_command(command->parts[i]);
}

void
cxcli_print_man(void)
{
    printf(".TH CONNEXON\\-CLI 1 \"\" \"Connexon " CX_VERSION "\" "
           "\"User Commands\"\n"
           ".SH NAME\n"
           "connexon\\-cli \\- segment and proofread electron\\-microscopy "
           "volumes without a window\n"
           ".SH SYNOPSIS\n"
           ".B connexon\\-cli\n"
           ".IR COMMAND \" [\" OPTION \"]... \" ARGUMENT ...\n"
           ".SH DESCRIPTION\n"
           "A volume is a file or folder, with\n"
           ".I :/dataset\n"
           "for a data set inside: a.h5:/volumes/raw, stack.tif, slices/ "
           "(numbered TIFF or PNG), a.zarr.\n"
           "A project is\n"
           ".IR name .connexon.\n"
           "Positions are voxels x,y,z of the finest level unless\n"
           ".B \\-\\-nm\n"
           "is given; boxes are x0,y0,z0,x1,y1,z1, half\\-open.\n"
           "An output appears under its name only when it is whole; inputs "
           "are never written to.\n"
           ".SH COMMANDS\n");
    for (unsigned i = 0; cxcli_commands[i] != NULL; i++)
        print_man_command(cxcli_commands[i]);
    printf(".SH COMMON OPTIONS\n");
    print_man_options(cxcli_common_options);
    printf(".SH EXIT STATUS\n"
           ".TP\n.B 0\ndone\n"
           ".TP\n.B 1\nfailed: one sentence on the standard error\n"
           ".TP\n.B 2\nwrong usage\n"
           ".TP\n.B 130\ncancelled\n"
           ".SH ENVIRONMENT\n"
           ".TP\n.B CX_CPU\nhighest instruction set that is used: c, avx2, "
           "avx512, vnni or amx\n"
           ".TP\n.B CONNEXON_MODELS\nfolder in which models are looked for "
           "first\n"
           ".SH SEE ALSO\n"
           ".BR connexon (1)\n");
}
