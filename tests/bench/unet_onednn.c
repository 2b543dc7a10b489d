/* The network of core/nn/bench_unet.h through oneDNN's own C interface (2.6 or
 * 2.7), for comparison.
 *
 *     unet_onednn fp32|bf16|int8 [BASE [TILE [SECONDS]]]
 *
 * prints one line: Mvoxel per second by wall clock and by processor time of
 * the calling thread.  OMP_NUM_THREADS sets the threads, ONEDNN_MAX_CPU_ISA
 * caps the instruction set.  Layouts are those that oneDNN asks for; weights
 * are brought into them before the clock starts; bias, ReLU and scales are
 * part of the convolutions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_LEVELS 4
#define MAX_OPS 80
#define MAX_RUNS 1000

typedef struct {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[4];
    int n_args;
} Op;

typedef struct {
    dnnl_memory_t memory;
    dnnl_dim_t channels, side;
} Tensor;

typedef struct {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_data_type_t samples, weights, biases;
    Op ops[MAX_OPS];
    int n_ops;
} Net;

static void
must(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return;
    fprintf(stderr, "unet_onednn: %s: status %d\n", what, (int)status);
    exit(1);
}

static dnnl_memory_t
new_memory(Net *net, const dnnl_memory_desc_t *desc)
{
    dnnl_memory_t memory;
    void *bytes;

    must(dnnl_memory_create(&memory, desc, net->engine, DNNL_MEMORY_ALLOCATE),
         "memory");
    must(dnnl_memory_get_data_handle(memory, &bytes), "handle");
    memset(bytes, 0, dnnl_memory_desc_get_size(desc));
    return memory;
}

static void
run(Net *net, Op *op)
{
    must(dnnl_primitive_execute(op->primitive, net->stream, op->n_args,
                                op->args),
         "execute");
}

static void
push(Net *net, dnnl_primitive_desc_t desc, int n_args,
     const dnnl_exec_arg_t *args)
{
    Op *op = &net->ops[net->n_ops++];

    must(dnnl_primitive_create(&op->primitive, desc), "primitive");
    dnnl_primitive_desc_destroy(desc);
    memcpy(op->args, args, (size_t)n_args * sizeof *args);
    op->n_args = n_args;
}

static dnnl_memory_desc_t
wish(dnnl_data_type_t type, const dnnl_dims_t dims)
{
    dnnl_memory_desc_t desc;

    must(
        dnnl_memory_desc_init_by_tag(&desc, 4, dims, type, dnnl_format_tag_any),
        "desc");
    return desc;
}

static dnnl_memory_desc_t
plain(dnnl_data_type_t type, int n, const dnnl_dims_t dims)
{
    dnnl_memory_desc_t desc;

    must(dnnl_memory_desc_init_by_tag(&desc, n, dims, type,
                                      n == 1 ? dnnl_a : dnnl_abcd),
         "desc");
    return desc;
}

static void
reorder(Net *net, dnnl_memory_t from, const dnnl_memory_desc_t *from_desc,
        dnnl_memory_t to, const dnnl_memory_desc_t *to_desc, float scale,
        bool once)
{
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t desc;

    must(dnnl_primitive_attr_create(&attr), "attr");
    must(dnnl_primitive_attr_set_output_scales(attr, 1, 0, &scale), "scale");
    must(dnnl_reorder_primitive_desc_create(&desc, from_desc, net->engine,
                                            to_desc, net->engine, attr),
         "reorder");
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    push(net, desc, 2, args);
    if (once)
        run(net, &net->ops[--net->n_ops]);
}

static float
normal(void)
{
    double u = (rand() + 1.0) / (RAND_MAX + 2.0);
    double v = (rand() + 1.0) / (RAND_MAX + 2.0);

    return (float)(sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
}

/* Random numbers in the wanted type and layout; 8-bit weights fill their
 * range. */
static dnnl_memory_t
random_memory(Net *net, const dnnl_memory_desc_t *want, int n,
              const dnnl_dims_t dims, float scale)
{
    dnnl_memory_desc_t desc = plain(dnnl_f32, n, dims);
    dnnl_memory_t from = new_memory(net, &desc), to = new_memory(net, want);
    size_t count = dnnl_memory_desc_get_size(&desc) / sizeof(float);
    void *bytes;

    dnnl_memory_get_data_handle(from, &bytes);
    for (size_t i = 0; i < count; i++)
        ((float *)bytes)[i] = normal();
    reorder(net, from, &desc, to, want, scale, true);
    return to;
}

static dnnl_primitive_attr_t
conv_attr(const Net *net, dnnl_dim_t fan_in, dnnl_dim_t out, bool relu)
{
    dnnl_primitive_attr_t attr;
    dnnl_post_ops_t post;

    must(dnnl_primitive_attr_create(&attr), "attr");
    if (net->samples == dnnl_u8) {
        float scales[1024];

        for (dnnl_dim_t o = 0; o < out; o++)
            scales[o] = (float)(1.4 / (40.0 * sqrt((double)fan_in)));
        must(dnnl_primitive_attr_set_output_scales(attr, out, 1 << 1, scales),
             "scales");
    }
    if (relu) {
        must(dnnl_post_ops_create(&post), "post");
        must(dnnl_post_ops_append_eltwise(post, 1.0f, dnnl_eltwise_relu, 0, 0),
             "relu");
        must(dnnl_primitive_attr_set_post_ops(attr, post), "post");
        dnnl_post_ops_destroy(post);
    }
    return attr;
}

/* The source in the layout that a primitive wants. */
static dnnl_memory_t
as_wanted(Net *net, dnnl_memory_t memory, const dnnl_memory_desc_t *want)
{
    const dnnl_memory_desc_t *have;

    dnnl_memory_get_memory_desc(memory, &have);
    if (dnnl_memory_desc_equal(have, want))
        return memory;
    dnnl_memory_t to = new_memory(net, want);
    reorder(net, memory, have, to, want, 1.0f, false);
    return to;
}

/* extent 3: convolution with ReLU; 1: head; 2: transposed convolution. */
static Tensor
conv(Net *net, Tensor from, dnnl_dim_t out, dnnl_dim_t extent)
{
    bool up = extent == 2;
    dnnl_dim_t side = up ? 2 * from.side : from.side, pad = extent / 2 - up;
    dnnl_dims_t src_dims = {1, from.channels, from.side, from.side};
    dnnl_dims_t w_dims = {out, from.channels, extent, extent};
    dnnl_dims_t dst_dims = {1, out, side, side};
    dnnl_dims_t bias_dims = {out};
    dnnl_dims_t strides = {up ? 2 : 1, up ? 2 : 1}, pads = {pad, pad};
    dnnl_dim_t fan_in = from.channels * (up ? 1 : extent * extent);
    dnnl_memory_desc_t src = wish(net->samples, src_dims);
    dnnl_memory_desc_t w = wish(net->weights, w_dims);
    dnnl_memory_desc_t bias = plain(net->biases, 1, bias_dims);
    dnnl_memory_desc_t dst = wish(net->samples, dst_dims);
    dnnl_primitive_attr_t attr = conv_attr(net, fan_in, out, extent == 3);
    dnnl_convolution_desc_t conv_desc;
    dnnl_deconvolution_desc_t deconv_desc;
    dnnl_primitive_desc_t desc;

    if (up)
        must(dnnl_deconvolution_forward_desc_init(
                 &deconv_desc, dnnl_forward_inference,
                 dnnl_deconvolution_direct, &src, &w, &bias, &dst, strides,
                 pads, pads),
             "deconvolution");
    else
        must(dnnl_convolution_forward_desc_init(
                 &conv_desc, dnnl_forward_inference, dnnl_convolution_direct,
                 &src, &w, &bias, &dst, strides, pads, pads),
             "convolution");
    must(dnnl_primitive_desc_create(
             &desc, up ? (const void *)&deconv_desc : (const void *)&conv_desc,
             attr, net->engine, NULL),
         "convolution for this type");
    dnnl_primitive_attr_destroy(attr);
    const dnnl_memory_desc_t *want_src =
        dnnl_primitive_desc_query_md(desc, dnnl_query_src_md, 0);
    const dnnl_memory_desc_t *want_w =
        dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
    float scale =
        net->samples == dnnl_u8 ? 40.0f : (float)sqrt(2.0 / (double)fan_in);
    dnnl_memory_t to = new_memory(
        net, dnnl_primitive_desc_query_md(desc, dnnl_query_dst_md, 0));
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, as_wanted(net, from.memory, want_src)},
        {DNNL_ARG_WEIGHTS, random_memory(net, want_w, 4, w_dims, scale)},
        {DNNL_ARG_BIAS, random_memory(net, &bias, 1, bias_dims, 0.1f)},
        {DNNL_ARG_DST, to},
    };
    push(net, desc, 4, args);
    return (Tensor){to, out, side};
}

static Tensor
pool(Net *net, Tensor from)
{
    dnnl_dim_t side = from.side / 2;
    dnnl_dims_t dims = {1, from.channels, side, side};
    dnnl_dims_t two = {2, 2}, zero = {0, 0};
    const dnnl_memory_desc_t *src;
    dnnl_memory_desc_t dst = wish(net->samples, dims);
    dnnl_pooling_desc_t pool_desc;
    dnnl_primitive_desc_t desc;

    dnnl_memory_get_memory_desc(from.memory, &src);
    must(dnnl_pooling_forward_desc_init(&pool_desc, dnnl_forward_inference,
                                        dnnl_pooling_max, src, &dst, two, two,
                                        zero, zero),
         "pooling");
    must(dnnl_primitive_desc_create(&desc, &pool_desc, NULL, net->engine, NULL),
         "pooling for this type");
    dnnl_memory_t to = new_memory(
        net, dnnl_primitive_desc_query_md(desc, dnnl_query_dst_md, 0));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, from.memory}, {DNNL_ARG_DST, to}};
    push(net, desc, 2, args);
    return (Tensor){to, from.channels, side};
}

static Tensor
concat(Net *net, Tensor a, Tensor b)
{
    const dnnl_memory_desc_t *one, *other;
    dnnl_memory_desc_t parts[2];
    dnnl_primitive_desc_t desc;

    dnnl_memory_get_memory_desc(a.memory, &one);
    dnnl_memory_get_memory_desc(b.memory, &other);
    parts[0] = *one, parts[1] = *other;
    must(dnnl_concat_primitive_desc_create(&desc, NULL, 2, 1, parts, NULL,
                                           net->engine),
         "concatenation");
    dnnl_memory_t to = new_memory(
        net, dnnl_primitive_desc_query_md(desc, dnnl_query_dst_md, 0));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_MULTIPLE_SRC, a.memory},
                              {DNNL_ARG_MULTIPLE_SRC + 1, b.memory},
                              {DNNL_ARG_DST, to}};
    push(net, desc, 3, args);
    return (Tensor){to, a.channels + b.channels, a.side};
}

static void
build(Net *net, dnnl_dim_t base, dnnl_dim_t tile)
{
    dnnl_dims_t dims = {1, 1, tile, tile};
    dnnl_memory_desc_t desc = plain(net->samples, 4, dims);
    float scale = net->samples == dnnl_u8 ? 60.0f : 1.0f;
    Tensor skips[N_LEVELS];
    Tensor at = {random_memory(net, &desc, 4, dims, scale), 1, tile};

    for (int level = 0; level <= N_LEVELS; level++) {
        if (level > 0)
            at = pool(net, skips[level - 1]);
        at = conv(net, conv(net, at, base << level, 3), base << level, 3);
        if (level < N_LEVELS)
            skips[level] = at;
    }
    for (int level = N_LEVELS; level-- > 0;) {
        at = concat(net, skips[level], conv(net, at, base << level, 2));
        at = conv(net, conv(net, at, base << level, 3), base << level, 3);
    }
    conv(net, at, 1, 1);
}

static double
seconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
run_all(Net *net)
{
    for (int i = 0; i < net->n_ops; i++)
        run(net, &net->ops[i]);
    dnnl_stream_wait(net->stream);
}

static void
measure(Net *net, double mvox, double seconds)
{
    static double wall[MAX_RUNS], cpu[MAX_RUNS];
    double total = 0.0;
    size_t n = 0;

    run_all(net);
    for (; n < MAX_RUNS && (n < 3 || total < seconds); total += wall[n++]) {
        double w = seconds_of(CLOCK_MONOTONIC);
        double c = seconds_of(CLOCK_THREAD_CPUTIME_ID);

        run_all(net);
        wall[n] = seconds_of(CLOCK_MONOTONIC) - w;
        cpu[n] = seconds_of(CLOCK_THREAD_CPUTIME_ID) - c;
    }
    qsort(wall, n, sizeof *wall, compare);
    qsort(cpu, n, sizeof *cpu, compare);
    printf("%.4f %.4f\n", mvox / wall[n / 2], mvox / cpu[n / 2]);
}

int
main(int argc, char **argv)
{
    const char *type = argc > 1 ? argv[1] : "fp32";
    dnnl_dim_t base = argc > 2 ? strtol(argv[2], NULL, 10) : 16;
    dnnl_dim_t tile = argc > 3 ? strtol(argv[3], NULL, 10) : 512;
    static Net net;

    net.samples = net.weights = net.biases = dnnl_f32;
    if (strcmp(type, "bf16") == 0)
        net.samples = net.weights = dnnl_bf16;
    else if (strcmp(type, "int8") == 0)
        net.samples = dnnl_u8, net.weights = dnnl_s8;
    must(dnnl_engine_create(&net.engine, dnnl_cpu, 0), "engine");
    must(dnnl_stream_create(&net.stream, net.engine, dnnl_stream_default_flags),
         "stream");
    build(&net, base, tile);
    measure(&net, (double)(tile * tile) / 1e6,
            argc > 4 ? strtod(argv[4], NULL) : 1.5);
    return 0;
}
