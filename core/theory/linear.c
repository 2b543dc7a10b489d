/* Small systems of linear equations.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/linear.h"

#include <math.h>

/* A pivot below this share of the diagonal counts as 0. */
#define LEAST_PIVOT 1e-12

bool
cx_linear_cholesky(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * n + j];

            for (size_t k = 0; k < j; k++)
                sum -= a[i * n + k] * a[j * n + k];
            if (j < i) {
                a[i * n + j] = sum / a[j * n + j];
                continue;
            }
            if (!(sum > LEAST_PIVOT * a[i * n + i]))
                return false;
            a[i * n + i] = sqrt(sum);
        }
    }
    return true;
}

void
cx_linear_solve_lower(const double *l, size_t n, double *right,
                      size_t n_columns)
{
    for (size_t i = 0; i < n; i++) {
        double *to = right + i * n_columns;

        for (size_t k = 0; k < i; k++) {
            const double *from = right + k * n_columns;
            double factor = l[i * n + k];

            for (size_t c = 0; c < n_columns; c++)
                to[c] -= factor * from[c];
        }
        for (size_t c = 0; c < n_columns; c++)
            to[c] /= l[i * n + i];
    }
}

bool
cx_linear_solve(double *a, size_t n, double *b)
{
    if (!cx_linear_cholesky(a, n))
        return false;
    cx_linear_solve_lower(a, n, b, 1);
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            b[i] -= a[k * n + i] * b[k];
        b[i] /= a[i * n + i];
    }
    return true;
}
