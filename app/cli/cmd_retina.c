/* retina: the simulated retina and the networks that learn from it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/cmd.h"

static const CxcliCommand *const parts[] = {
    &cxcli_retina_simulate, &cxcli_retina_train,
    &cxcli_retina_respond,  &cxcli_retina_attribute,
    &cxcli_retina_reduce,   &cxcli_retina_prune,
    &cxcli_retina_report,   NULL,
};

const CxcliCommand cxcli_retina = {
    .name = "retina",
    .usage = "COMMAND …",
    .summary = "A simulated retina, and networks that learn from it",
    .text = "After Tanaka et al. 2019; nothing here is a recording unless it "
            "is read from one.",
    .max_args = -1,
    .parts = parts,
};
