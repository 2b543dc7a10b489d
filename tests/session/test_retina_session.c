/* The Retina page's state: presets there and back, and what a wish brings
 * about on a small network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/retina_session.h"
#include "tests/session/session_fixture.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static void
test_preset(void)
{
    for (int i = 0; i < 50; i++) {
        CxuiRetinaWish wish = cxui_retina_wish_default();
        CxuiRetinaWish back;
        GError *error = NULL;

        wish.kind = (CxProtocolKind)g_test_rand_int_range(0, CX_N_PROTOCOLS);
        wish.preset = (CxProtocolPreset)g_test_rand_int_range(0, CX_N_PRESETS);
        wish.order = (CxChannelOrder)g_test_rand_int_range(0, CX_N_ORDERS);
        wish.rule = (CxAttributionRule)g_test_rand_int_range(0, 3);
        wish.amplitude = g_test_rand_double_range(0.1, 3.0);
        wish.condition =
            i % 2 == 0 ? SIZE_MAX : (size_t)g_test_rand_int_range(0, 50);
        wish.muted = (uint64_t)g_test_rand_int_range(0, 256);
        wish.knock_outs = (unsigned)g_test_rand_int_range(0, 32);
        wish.k = (unsigned)g_test_rand_int_range(0, 9);
        wish.bits = i % 3 == 0 ? 0 : (unsigned)g_test_rand_int_range(2, 9);
        g_autofree char *text = cxui_retina_wish_to_json(&wish);
        g_assert_true(cxui_retina_wish_from_json(text, &back, &error));
        g_assert_no_error(error);
        g_autofree char *again = cxui_retina_wish_to_json(&back);
        g_assert_cmpstr(text, ==, again);
    }
}

static void
test_bad_presets(void)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{",
        "{\"protocol\": \"dance\"}",
        "{\"rule\": \"never\", \"protocol\": \"osr\"}",
    };
    CxuiRetinaWish wish;

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(cxui_retina_wish_from_json(texts[i], &wish, &error));
        g_assert_nonnull(error);
    }
    g_assert_true(cxui_retina_wish_from_json(
        "{\"bits\": 1e9, \"muted\": [-1, 3, 900, \"x\", {}], "
        "\"knock_outs\": [\"on-bipolar\", 7], \"channels_kept\": -4}",
        &wish, NULL));
    g_assert_cmpuint(wish.bits, ==, 8);
    g_assert_cmpuint(wish.k, ==, 0);
    g_assert_true(wish.muted == 8);
    g_assert_cmpuint(wish.knock_outs, ==, CX_KNOCK_OUT_ON_BIPOLAR);
}

/* --- with a network */

typedef struct {
    SessionFixture base;
    CxuiRetinaSession *retina;
    char *path;
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    CxRetinaShape shape = {
        .history = 40,
        .height = 1,
        .width = 60,
        .n_channels = {4, 3},
        .n_maps = 1,
        .kernel_y = {1, 1, 1},
        .kernel_x = {9, 7, 7},
    };
    GError *error = NULL;
    g_autoptr(CxRetinaCnn) net = cx_retina_cnn_new(&shape, 3, &error);

    g_assert_no_error(error);
    session_fixture_set_up(&fixture->base, NULL);
    fixture->path =
        g_build_filename(fixture->base.dir, "retina-small.h5", NULL);
    g_assert_true(cx_retina_cnn_save(net, fixture->path, &error));
    g_setenv("CONNEXON_MODELS", fixture->base.dir, TRUE);
    fixture->retina = cxui_retina_session_new(fixture->base.session);
    for (unsigned i = 0; i < cxui_retina_session_n_networks(fixture->retina);
         i++) {
        if (g_str_equal(cxui_retina_session_network_title(fixture->retina, i),
                        "retina-small"))
            cxui_retina_session_use_network(fixture->retina, i);
    }
}

static void
tear_down(Fixture *fixture, const void *data)
{
    cxui_retina_session_stop(fixture->retina);
    g_unlink(fixture->path);
    g_free(fixture->path);
    g_unsetenv("CONNEXON_MODELS");
    session_fixture_tear_down(&fixture->base, NULL);
    g_assert_finalize_object(fixture->retina);
}

/* The baseline may still be fitted: it takes longest. */
static bool
is_settled(SessionFixture *base)
{
    CxuiRetinaSession *retina = ((Fixture *)base)->retina;

    return cxui_retina_session_replay(retina) != NULL &&
           !cxui_retina_session_is_busy(retina);
}

static bool
has_sweep(SessionFixture *base)
{
    return cxui_retina_session_sweep(((Fixture *)base)->retina) != NULL;
}

static bool
has_trained(SessionFixture *base)
{
    return !cxui_retina_session_is_training(((Fixture *)base)->retina);
}

/* Compares with the network itself. */
static void
test_replay(Fixture *fixture, const void *data)
{
    session_fixture_wait(&fixture->base, is_settled);
    const CxRetinaReplay *replay = cxui_retina_session_replay(fixture->retina);
    g_assert_nonnull(replay);
    g_assert_cmpuint(replay->n_channels, ==, 4);
    g_assert_cmpfloat(replay->condition->value, ==, 60.0);

    size_t n = cx_retina_cnn_n_windows(replay->net, replay->n_frames);
    g_autofree float *rates = g_new0(float, n);
    g_assert_true(cx_retina_cnn_respond(replay->net, replay->condition->movie,
                                        &replay->pick, 1, NULL, 1, rates, NULL,
                                        NULL));
    for (size_t t = 0; t < n; t++)
        g_assert_cmpfloat(
            fabs((double)(rates[t] - replay->full[t + replay->history])), <,
            1e-3);

    /* a channel taken out by hand */
    CxuiRetinaWish wish = *cxui_retina_session_wish(fixture->retina);
    wish.muted = 2;
    cxui_retina_session_set_wish(fixture->retina, &wish);
    session_fixture_wait(&fixture->base, is_settled);
    g_assert_cmpint(replay->mask.layer1[1], ==, CX_RETINA_ZERO);
    g_assert_cmpint(replay->mask.layer1[0], ==, CX_RETINA_KEEP);
    CxRetinaMask mask = {.layer1 = {[1] = CX_RETINA_ZERO}};
    g_assert_true(cx_retina_cnn_respond(replay->net, replay->condition->movie,
                                        &replay->pick, 1, &mask, 1, rates, NULL,
                                        NULL));
    for (size_t t = 0; t < n; t++)
        g_assert_cmpfloat(
            fabs((double)(rates[t] - replay->reduced[t + replay->history])), <,
            1e-3);
    g_assert_cmpuint(fixture->base.failures->len, ==, 0);
}

/* Wishes that come faster than jobs end: the last one counts. */
static void
test_haste(Fixture *fixture, const void *data)
{
    CxuiRetinaWish wish = *cxui_retina_session_wish(fixture->retina);

    for (int i = 0; i < 12; i++) {
        wish.kind = (CxProtocolKind)(i % CX_N_PROTOCOLS);
        wish.condition = SIZE_MAX;
        cxui_retina_session_set_wish(fixture->retina, &wish);
        for (int k = 0; k < i; k++)
            g_main_context_iteration(NULL, FALSE);
    }
    session_fixture_wait(&fixture->base, is_settled);
    g_assert_cmpint(cxui_retina_session_replay(fixture->retina)->options.kind,
                    ==, CX_PROTOCOL_ANTICIPATION);
    g_assert_cmpuint(fixture->base.failures->len, ==, 0);
}

static void
test_sweep(Fixture *fixture, const void *data)
{
    session_fixture_wait(&fixture->base, is_settled);
    cxui_retina_session_show(fixture->retina, true, false);
    session_fixture_wait(&fixture->base, has_sweep);
    const CxuiRetinaSweep *sweep = cxui_retina_session_sweep(fixture->retina);
    g_assert_nonnull(sweep);
    g_assert_true(sweep->simulator->result->reproduced);
    g_assert_nonnull(sweep->network->result->verdict);
}

static void
test_training(Fixture *fixture, const void *data)
{
    CxuiRetinaTraining training = {.seconds = 12, .epochs = 1, .seed = 4};
    unsigned before = cxui_retina_session_n_networks(fixture->retina);
    size_t n = 0;

    session_fixture_wait(&fixture->base, is_settled);
    cxui_retina_session_train(fixture->retina, &training);
    g_assert_true(cxui_retina_session_is_training(fixture->retina));
    session_fixture_wait(&fixture->base, has_trained);
    const CxRetinaEpoch *epochs =
        cxui_retina_session_epochs(fixture->retina, &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_true(isfinite(epochs[0].train_loss));
    g_assert_cmpuint(cxui_retina_session_n_networks(fixture->retina), ==,
                     before + 1);
    g_assert_cmpuint(cxui_retina_session_network(fixture->retina), ==, before);
    g_assert_cmpuint(fixture->base.failures->len, ==, 0);
}

int
main(int argc, char **argv)
{
    session_test_init(&argc, &argv);
    g_test_add_func("/retina-session/preset", test_preset);
    g_test_add_func("/retina-session/bad-presets", test_bad_presets);
#define ADD(name, func)                                                        \
    g_test_add("/retina-session/" name, Fixture, NULL, set_up, func, tear_down)
    ADD("replay", test_replay);
    ADD("haste", test_haste);
    ADD("sweep", test_sweep);
    ADD("training", test_training);
#undef ADD
    return session_test_run();
}
