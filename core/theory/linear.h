/* Small systems of linear equations in double.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

/* Replaces the lower triangle of a symmetric matrix a[n][n] by its factor L,
 * a = L L^T; false if it is not clearly positive definite. */
bool cx_linear_cholesky(double *a, size_t n);

/* Replaces right[n][n_columns] by L^-1 right. */
void cx_linear_solve_lower(const double *l, size_t n, double *right,
                           size_t n_columns);

/* Solves a x = b, a as above and destroyed; x replaces b. */
bool cx_linear_solve(double *a, size_t n, double *b);
