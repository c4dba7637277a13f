//! Reads pages of one row group for parquet's decoders. Their own page reader sets up a zstd context for each column
//! of each read, which takes longer than finding a trace: here a thread keeps one.

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use bytes::buf::{Buf, Reader};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{RowGroups, RowSelection};
use parquet::basic::Compression;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

/// Largest page, decompressed. Ours are far smaller, but for a page of one enormous value.
const MAX_PAGE_BYTES: u64 = 1 << 30;

/// The pages of a row group that some rows need.
pub(crate) struct RowGroupPages<'a> {
    metadata: &'a ParquetMetaData,
    row_group: usize,
    bytes: Arc<FileParts>,
}

impl<'a> RowGroupPages<'a> {
    /// Bytes of the file that the columns of `mask` need for the selected rows (all of them for `None`).
    pub fn needed(
        metadata: &ParquetMetaData,
        row_group: usize,
        mask: &ProjectionMask,
        selection: Option<&RowSelection>,
    ) -> Vec<Range<u64>> {
        let columns = metadata.row_group(row_group).columns().iter().enumerate();
        let mut needed = Vec::new();
        for (leaf, chunk) in columns.filter(|(leaf, _)| mask.leaf_included(*leaf)) {
            let (start, length) = chunk.byte_range();
            match (selection, page_locations(metadata, row_group, leaf)) {
                (Some(selection), Some(pages)) => {
                    let first = pages.first().map_or(start, |page| page.offset as u64);
                    if first > start {
                        needed.push(start..first); // the dictionary
                    }
                    needed.extend(selection.scan_ranges(pages));
                }
                _ => needed.push(start..start + length),
            }
        }
        needed
    }

    /// The row group, of which these ranges of the file were read.
    pub fn new(metadata: &'a ParquetMetaData, row_group: usize, ranges: &[Range<u64>], read: Vec<Bytes>) -> Self {
        let length = ranges.iter().map(|range| range.end).max().unwrap_or_default();
        let mut parts: Vec<(u64, Bytes)> = ranges.iter().map(|range| range.start).zip(read).collect();
        parts.sort_unstable_by_key(|(start, _)| *start);
        Self { metadata, row_group, bytes: Arc::new(FileParts { parts, length }) }
    }
}

fn page_locations(metadata: &ParquetMetaData, row_group: usize, leaf: usize) -> Option<&Vec<PageLocation>> {
    Some(metadata.offset_index()?.get(row_group)?.get(leaf)?.page_locations()).filter(|pages| !pages.is_empty())
}

impl RowGroups for RowGroupPages<'_> {
    fn num_rows(&self) -> usize {
        self.metadata.row_group(self.row_group).num_rows() as usize
    }

    fn column_chunks(&self, leaf: usize) -> Result<Box<dyn PageIterator>, ParquetError> {
        let chunk = self.metadata.row_group(self.row_group).column(leaf);
        let pages = page_locations(self.metadata, self.row_group, leaf).cloned();
        let reader = |chunk: &ColumnChunkMetaData| {
            SerializedPageReader::new(Arc::clone(&self.bytes), chunk, self.num_rows(), pages)
        };
        let reader: Box<dyn PageReader> = match chunk.compression() {
            Compression::ZSTD(_) => {
                let as_stored = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
                Box::new(Decompressing(reader(&as_stored)?))
            }
            _ => Box::new(reader(chunk)?),
        };
        Ok(Box::new(OneChunk(Some(reader))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.metadata.row_group(self.row_group)))
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.metadata
    }
}

struct OneChunk(Option<Box<dyn PageReader>>);

impl Iterator for OneChunk {
    type Item = Result<Box<dyn PageReader>, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take().map(Ok)
    }
}

impl PageIterator for OneChunk {}

/// Parts of a file, ascending.
struct FileParts {
    parts: Vec<(u64, Bytes)>,
    length: u64,
}

impl Length for FileParts {
    fn len(&self) -> u64 {
        self.length
    }
}

impl FileParts {
    /// The bytes from `start` to the end of the part that it is in.
    fn from(&self, start: u64) -> Result<Bytes, ParquetError> {
        let behind = self.parts.partition_point(|(first, _)| *first <= start);
        let (first, bytes) = behind.checked_sub(1).map(|i| &self.parts[i]).ok_or_else(|| outside(start))?;
        let offset = (start - first) as usize;
        if offset > bytes.len() { Err(outside(start)) } else { Ok(bytes.slice(offset..)) }
    }
}

fn outside(start: u64) -> ParquetError {
    ParquetError::General(format!("a page at byte {start} is not where the page index says"))
}

impl ChunkReader for FileParts {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = self.from(start)?;
        if bytes.len() < length { Err(outside(start)) } else { Ok(bytes.split_to(length)) }
    }
}

/// Decompresses what another reader takes for pages that are not compressed.
struct Decompressing<R>(R);

impl<R: PageReader> Iterator for Decompressing<R> {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl<R: PageReader> PageReader for Decompressing<R> {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        let Some(mut page) = self.0.get_next_page()? else { return Ok(None) };
        match &mut page {
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => *buf = decompress(buf, 0)?,
            Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, is_compressed, .. } => {
                if *is_compressed {
                    *buf = decompress(buf, *def_levels_byte_len as usize + *rep_levels_byte_len as usize)?;
                }
            }
        }
        Ok(Some(page))
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        self.0.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool, ParquetError> {
        self.0.at_record_boundary()
    }
}

thread_local! {
    static DECOMPRESSOR: RefCell<io::Result<zstd::bulk::Decompressor<'static>>> =
        RefCell::new(zstd::bulk::Decompressor::new());
}

/// Decompresses all but the first `plain` bytes, which are kept.
fn decompress(page: &Bytes, plain: usize) -> Result<Bytes, ParquetError> {
    let wrong = |what: &str| ParquetError::General(format!("a compressed page {what}"));
    let (head, compressed) = page.split_at_checked(plain).ok_or_else(|| wrong("is shorter than its levels"))?;
    if compressed.is_empty() {
        return Ok(page.clone());
    }
    let size =
        zstd::zstd_safe::get_frame_content_size(compressed).ok().flatten().filter(|size| *size <= MAX_PAGE_BYTES);
    let size = size.ok_or_else(|| wrong("does not tell its size"))? as usize;
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        let decompressor = decompressor.as_mut().map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        let mut whole = io::Cursor::new(Vec::with_capacity(plain + size));
        whole.get_mut().extend_from_slice(head);
        whole.set_position(plain as u64);
        decompressor
            .decompress_to_buffer(compressed, &mut whole)
            .map_err(|error| wrong(&format!("is damaged: {error}")))?;
        Ok(whole.into_inner().into())
    })
}
