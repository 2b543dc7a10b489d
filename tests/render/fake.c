/* A volume in memory; see fake.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/render/fake.h"

static char *
name_of(const CxChunkKey *key)
{
    return g_strdup_printf("%u/%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT
                           "/%" G_GINT64_FORMAT,
                           key->level, key->idx.x, key->idx.y, key->idx.z);
}

Fake *
fake_new(bool labels, CxVoxel size, CxVoxel chunk_size, CxNm voxel_nm,
         CxNm offset_nm, FakeValue value)
{
    Fake *fake = g_new0(Fake, 1);

    fake->labels = labels;
    fake->value = value;
    fake->grid.volume_id = labels ? 2 : 1;
    fake->grid.n_levels = 1;
    fake->grid.offset_nm = offset_nm;
    fake->grid.levels[0].size = size;
    fake->grid.levels[0].chunk_size = chunk_size;
    fake->grid.levels[0].voxel_nm = voxel_nm;
    fake->missing =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fake->failed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fake->chunks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify)cx_chunk_unref);
    return fake;
}

void
fake_free(Fake *fake)
{
    if (fake == NULL)
        return;
    g_hash_table_unref(fake->missing);
    g_hash_table_unref(fake->failed);
    g_hash_table_unref(fake->chunks);
    g_free(fake);
}

void
fake_add_level(Fake *fake, CxVoxel factor, CxVoxel chunk_size)
{
    unsigned level = fake->grid.n_levels++;
    CxVoxel size = fake->grid.levels[0].size;
    CxNm voxel_nm = fake->grid.levels[0].voxel_nm;

    fake->grid.levels[level].size = (CxVoxel){
        (size.x + factor.x - 1) / factor.x, (size.y + factor.y - 1) / factor.y,
        (size.z + factor.z - 1) / factor.z};
    fake->grid.levels[level].chunk_size = chunk_size;
    fake->grid.levels[level].voxel_nm =
        (CxNm){voxel_nm.x * (double)factor.x, voxel_nm.y * (double)factor.y,
               voxel_nm.z * (double)factor.z};
}

static CxChunk *
make_chunk(const Fake *fake, const CxChunkKey *key)
{
    CxBox box = cx_chunk_box_clipped(
        key->idx, fake->grid.levels[key->level].chunk_size,
        cx_box_of_size(fake->grid.levels[key->level].size));
    CxChunk *chunk =
        cx_chunk_new(fake->labels ? CX_DTYPE_U64 : CX_DTYPE_U8, box, 1, NULL);
    size_t i = 0;

    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        for (int64_t y = box.lo.y; y < box.hi.y; y++) {
            for (int64_t x = box.lo.x; x < box.hi.x; x++, i++) {
                uint64_t value = fake->value((CxVoxel){x, y, z}, key->level);

                if (fake->labels)
                    ((CxId *)cx_chunk_data_mut(chunk))[i] = value;
                else
                    ((uint8_t *)cx_chunk_data_mut(chunk))[i] = (uint8_t)value;
            }
        }
    }
    return chunk;
}

static CxChunk *
lookup(void *data, const CxChunkKey *key)
{
    Fake *fake = data;
    g_autofree char *name = name_of(key);
    CxChunk *chunk;

    g_assert_cmpuint(key->volume_id, ==, fake->grid.volume_id);
    g_assert_cmpuint(key->level, <, fake->grid.n_levels);
    fake->n_lookups++;
    if (g_hash_table_contains(fake->missing, name) ||
        g_hash_table_contains(fake->failed, name))
        return NULL;
    chunk = g_hash_table_lookup(fake->chunks, name);
    if (chunk == NULL) {
        chunk = make_chunk(fake, key);
        g_hash_table_insert(fake->chunks, g_steal_pointer(&name), chunk);
    }
    return cx_chunk_ref(chunk);
}

static bool
has_failed(void *data, const CxChunkKey *key)
{
    g_autofree char *name = name_of(key);

    return g_hash_table_contains(((Fake *)data)->failed, name);
}

CxglChunkSource
fake_source(Fake *fake)
{
    return (CxglChunkSource){lookup, has_failed, fake};
}

void
fake_set_missing(Fake *fake, CxChunkKey key, bool missing)
{
    char *name = name_of(&key);

    if (missing) {
        g_hash_table_add(fake->missing, name);
    } else {
        g_hash_table_remove(fake->missing, name);
        g_free(name);
    }
}

void
fake_set_level_missing(Fake *fake, unsigned level, bool missing)
{
    CxBox chunks = cx_box_chunks(cx_box_of_size(fake->grid.levels[level].size),
                                 fake->grid.levels[level].chunk_size);

    for (int64_t z = 0; z < chunks.hi.z; z++)
        for (int64_t y = 0; y < chunks.hi.y; y++)
            for (int64_t x = 0; x < chunks.hi.x; x++)
                fake_set_missing(fake, (CxChunkKey){0, level, {x, y, z}},
                                 missing);
}

void
fake_set_failed(Fake *fake, CxChunkKey key)
{
    g_hash_table_add(fake->failed, name_of(&key));
}

void
fake_renew(Fake *fake)
{
    g_hash_table_remove_all(fake->chunks);
}
