/* The help and the man page, made from the table of commands.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/cli/cmd.h"

/* Help of one command, or (NULL) of the program, on stdout. */
void cxcli_print_help(const CxcliCommand *command);

/* connexon-cli(1) in roff, on stdout. */
void cxcli_print_man(void);
