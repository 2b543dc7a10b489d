/* Speed of the retina network: windows a second in training and in running.
 *
 *     retina [BATCH] [THREADS] [STRIDE] [EPOCHS]
 *
 * The default shape (40 x 50 x 50) on noise; processor time tells more than
 * the clock where other programs run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/rng.h"
#include "core/retina/retina_train.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double
cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static unsigned
number(int argc, char **argv, int i, unsigned otherwise)
{
    return argc > i ? (unsigned)strtoul(argv[i], NULL, 10) : otherwise;
}

typedef struct {
    double start;
    uint64_t n;
} Speed;

static bool
show(const CxRetinaEpoch *epoch, void *data)
{
    Speed *speed = data;
    double now = cpu_seconds();

    printf("epoch %u: %.0f windows/s, %.0f a second of processor time, loss "
           "%.4f\n",
           epoch->epoch, epoch->windows_per_s,
           (double)speed->n / (now - speed->start), epoch->train_loss);
    speed->start = now;
    return true;
}

int
main(int argc, char **argv)
{
    CxRetinaShape shape = cx_retina_shape_default();
    CxRetinaTrainOptions options = {.batch = number(argc, argv, 1, 512),
                                    .n_threads = number(argc, argv, 2, 2),
                                    .stride = number(argc, argv, 3, 4),
                                    .epochs = number(argc, argv, 4, 3)};
    g_autoptr(GError) error = NULL;
    g_autoptr(CxRetinaCnn) net = cx_retina_cnn_new(&shape, 1, &error);
    g_autoptr(CxMovie) movie = cx_movie_new(6040, 50, 50, &error);
    CxRng rng;

    if (net == NULL || movie == NULL)
        return 1;
    cx_rng_init(&rng, 1);
    for (size_t i = 0; i < movie->n_frames * 2500; i++)
        movie->data[i] = (float)cx_rng_uniform(&rng) - 0.5f;
    g_autofree float *target = g_new(float, movie->n_frames * 256);
    for (size_t i = 0; i < movie->n_frames * 256; i++)
        target[i] = (float)cx_rng_uniform(&rng);
    CxRetinaClip clip = {movie, target, 0};
    CxRetinaData data = {&clip, 1};
    size_t per_batch = (options.batch + 15) / 16;
    Speed speed = {cpu_seconds(),
                   6000 / (16 * options.stride) / per_batch * per_batch * 16};

    if (!cx_retina_train(net, &data, NULL, &options, show, &speed, NULL,
                         &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    g_autofree float *rates = g_new(float, 6000 * 256);
    double start = cpu_seconds();
    cx_retina_cnn_respond_maps(net, movie, NULL, options.n_threads, rates, NULL,
                               NULL);
    printf("running, whole maps: %.0f windows a second of processor time\n",
           6000.0 / (cpu_seconds() - start));
    return 0;
}
