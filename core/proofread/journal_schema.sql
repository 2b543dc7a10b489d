-- The project file, format 2.  See README.md of this folder.
--
-- 64-bit ids are stored as signed integers with the same bits.  Times are
-- microseconds since 1970, UTC.  checksum is XXH64 of the blob beside it.

PRAGMA application_id = 0x43786e31;
PRAGMA user_version = 2;

-- Single values of the program: next_segment, block_x, block_y, block_z,
-- import_pending, global_pending.
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- Small texts kept with the project: view, author.
CREATE TABLE text (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- One row: where the image is and how it looked.
CREATE TABLE image (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  spec TEXT NOT NULL,
  relative TEXT,
  size_bytes INTEGER NOT NULL,
  mtime_us INTEGER NOT NULL,
  dtype TEXT NOT NULL,
  size_x INTEGER NOT NULL,
  size_y INTEGER NOT NULL,
  size_z INTEGER NOT NULL,
  voxel_x REAL NOT NULL,
  voxel_y REAL NOT NULL,
  voxel_z REAL NOT NULL,
  offset_x REAL NOT NULL,
  offset_y REAL NOT NULL,
  offset_z REAL NOT NULL
);

-- Supervoxel ids of 64 x 64 x 64 voxels, cut at the border of the volume.
-- key = z << 42 | y << 21 | x of the chunk index.
CREATE TABLE chunk (
  key INTEGER PRIMARY KEY,
  data BLOB NOT NULL,
  checksum INTEGER NOT NULL
);

-- Chunks whose voxels an edit changed, as they are after it; the newest that
-- is not undone covers the chunk below.
CREATE TABLE overlay (
  key INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  data BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (key, sequence)
);

-- Parts of the graph, one a block (an import has one for many blocks).
-- segments: for each supervoxel the segment it was born into.
CREATE TABLE part (
  part INTEGER PRIMARY KEY,
  n_supervoxels INTEGER NOT NULL,
  supervoxels BLOB NOT NULL,
  supervoxels_checksum INTEGER NOT NULL,
  segments BLOB NOT NULL,
  segments_checksum INTEGER NOT NULL,
  n_edges INTEGER NOT NULL,
  edges BLOB NOT NULL,
  edges_checksum INTEGER NOT NULL
);

-- Blocks of the grid that are segmented.
CREATE TABLE block (
  z INTEGER NOT NULL,
  y INTEGER NOT NULL,
  x INTEGER NOT NULL,
  part INTEGER NOT NULL,
  PRIMARY KEY (z, y, x)
) WITHOUT ROWID;

-- Segments, never edited, that a later block joined into one.
CREATE TABLE joined (
  number INTEGER PRIMARY KEY,
  segment INTEGER NOT NULL,
  into_segment INTEGER NOT NULL
);

-- The log.  Rows are only ever added.  parent: the edit on top of which this
-- one was made, so that the history is a tree and nothing is discarded.
-- patch: what an edit of voxels changed in the graph (format 2).
CREATE TABLE edit (
  sequence INTEGER PRIMARY KEY,
  parent INTEGER NOT NULL,
  kind TEXT NOT NULL,
  author TEXT,
  time_us INTEGER NOT NULL,
  x INTEGER NOT NULL,
  y INTEGER NOT NULL,
  z INTEGER NOT NULL,
  segment INTEGER NOT NULL,
  text TEXT,
  old_text TEXT,
  locked INTEGER NOT NULL,
  link_a INTEGER NOT NULL,
  link_b INTEGER NOT NULL,
  sentence TEXT NOT NULL,
  moves BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  patch BLOB
);

-- Where the head of the history stood after each edit, undo and redo; the last
-- row is the present.
CREATE TABLE step (
  step INTEGER PRIMARY KEY,
  head INTEGER NOT NULL,
  author TEXT,
  time_us INTEGER NOT NULL
);
