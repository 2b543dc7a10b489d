/* Names of sample types and instruction sets → kernels, with refusals.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/choose.h"

#include "core/base/error.h"

#define REFUSE(...)                                                            \
    (g_set_error(error, CX_ERROR, CX_ERROR_INVALID, __VA_ARGS__), false)

const char *
cx_nn_isa(const CxKernels *kernels, CxLayerType type)
{
    return type == CX_LAYER_BF16 ? kernels->isa_bf16 : kernels->isa;
}

static bool
cap_features(const char *isa, unsigned *features, GError **error)
{
    const char *cap = g_getenv("CX_CPU");

    if (!cx_cpu_cap(features, cap))
        return REFUSE("CX_CPU is \"%s\", expected c, avx2, avx512, vnni or amx",
                      cap);
    if (!cx_cpu_cap(features, isa))
        return REFUSE("instruction set \"%s\" is unknown, expected c, avx2, "
                      "avx512, vnni or amx",
                      isa);
    return true;
}

static bool
choose_bf16(const char *isa, unsigned features, CxKernels *kernels,
            GError **error)
{
    bool plain = g_strcmp0(isa, "c") == 0;

    if ((features & CX_CPU_AMX_BF16) != 0 && !cx_cpu_permit_tiles())
        features &= ~(unsigned)CX_CPU_AMX_BF16;
    cx_kernels_fill(kernels, features);
    if (plain || g_str_equal(kernels->isa_bf16, "amx"))
        return true;
    return REFUSE("type bf16 needs AMX, which this processor, the system, "
                  "CX_CPU or the instruction set \"%s\" does not allow",
                  isa != NULL ? isa : "");
}

bool
cx_nn_choose(const char *type, const char *isa, CxLayerType *layer_type,
             CxKernels *kernels, GError **error)
{
    unsigned features = cx_cpu_detect();

    if (!cap_features(isa, &features, error))
        return false;
    if (g_strcmp0(type, "bf16") == 0) {
        *layer_type = CX_LAYER_BF16;
        return choose_bf16(isa, features, kernels, error);
    }
    if (type != NULL && !g_str_equal(type, "fp32"))
        return REFUSE("type \"%s\" is unknown, expected fp32 or bf16", type);
    *layer_type = CX_LAYER_F32;
    cx_kernels_fill(kernels, features);
    if ((g_strcmp0(isa, "avx2") == 0 || g_strcmp0(isa, "avx512") == 0) &&
        !g_str_equal(isa, kernels->isa))
        return REFUSE("this processor (or CX_CPU) does not allow %s, only %s",
                      isa, kernels->isa);
    return true;
}
