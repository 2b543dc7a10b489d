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
    return type == CX_LAYER_BF16   ? kernels->bf16.isa
           : type == CX_LAYER_INT8 ? kernels->u8.isa
                                   : kernels->isa;
}

const char *
cx_nn_type_name(CxLayerType type)
{
    return type == CX_LAYER_BF16   ? "bf16"
           : type == CX_LAYER_INT8 ? "int8"
                                   : "fp32";
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
find_type(const char *name, CxLayerType *type, GError **error)
{
    static const CxLayerType types[] = {CX_LAYER_F32, CX_LAYER_BF16,
                                        CX_LAYER_INT8};

    *type = CX_LAYER_F32;
    if (name == NULL)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_equal(name, cx_nn_type_name(types[i]))) {
            *type = types[i];
            return true;
        }
    return REFUSE("type \"%s\" is unknown, expected fp32, bf16 or int8", name);
}

bool
cx_nn_choose(const char *type_name, const char *isa, CxLayerType *type,
             CxKernels *kernels, GError **error)
{
    const unsigned amx = CX_CPU_AMX_INT8 | CX_CPU_AMX_BF16;
    unsigned features = cx_cpu_detect();

    if (!cap_features(isa, &features, error) ||
        !find_type(type_name, type, error))
        return false;
    if ((features & amx) != 0 && *type != CX_LAYER_F32 &&
        !cx_cpu_permit_tiles())
        features &= ~amx;
    cx_kernels_fill(kernels, features);
    const char *got = cx_nn_isa(kernels, *type);
    if (*type == CX_LAYER_BF16 && !g_str_equal(got, "amx") &&
        g_strcmp0(isa, "c") != 0)
        return REFUSE("type bf16 needs AMX, which this processor, the system, "
                      "CX_CPU or the instruction set \"%s\" does not allow",
                      isa != NULL ? isa : "");
    /* A cap without kernels of its own for this type gives those below. */
    bool own = isa != NULL && *type == CX_LAYER_F32
                   ? g_str_equal(isa, "avx2") || g_str_equal(isa, "avx512")
                   : isa != NULL && !g_str_equal(isa, "avx512");
    if (own && !g_str_equal(isa, got))
        return REFUSE("this processor (or CX_CPU) does not allow %s, only %s",
                      isa, got);
    return true;
}
