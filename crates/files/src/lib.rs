//! Parquet files of the lake: sort, shred, write, merge, read back.
