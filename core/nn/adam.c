/* The Adam optimiser.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/adam.h"

#include "core/base/alloc.h"

#include <math.h>

#define DECAY_1 0.9
#define DECAY_2 0.999
#define EPSILON 1e-8f

struct CxAdam {
    size_t n;
    uint64_t n_steps;
    float *first, *second; /* moments */
};

CxAdam *
cx_adam_new(size_t n, GError **error)
{
    g_autoptr(CxAdam) adam = g_new0(CxAdam, 1);

    adam->n = n;
    adam->first = cx_try_alloc0(n, sizeof *adam->first, error);
    if (adam->first == NULL)
        return NULL;
    adam->second = cx_try_alloc0(n, sizeof *adam->second, error);
    return adam->second != NULL ? g_steal_pointer(&adam) : NULL;
}

void
cx_adam_free(CxAdam *adam)
{
    if (adam == NULL)
        return;
    cx_free(adam->first);
    cx_free(adam->second);
    g_free(adam);
}

void
cx_adam_step(CxAdam *adam, float *values, const float *gradient, double rate)
{
    adam->n_steps++;
    double bias_1 = 1.0 - pow(DECAY_1, (double)adam->n_steps);
    double bias_2 = 1.0 - pow(DECAY_2, (double)adam->n_steps);
    float step = (float)(rate / bias_1), size = (float)(1.0 / sqrt(bias_2));

    for (size_t i = 0; i < adam->n; i++) {
        float g = gradient[i];

        adam->first[i] += (float)(1.0 - DECAY_1) * (g - adam->first[i]);
        adam->second[i] += (float)(1.0 - DECAY_2) * (g * g - adam->second[i]);
        values[i] -=
            step * adam->first[i] / (sqrtf(adam->second[i]) * size + EPSILON);
    }
}
