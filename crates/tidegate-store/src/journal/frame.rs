//! One batch of changes as bytes: valid as a whole or not at all.
//!
//! Layout, little-endian: magic `TGB1`, store id (8), length of the body (4), CRC-32C of store id,
//! length and body (4), body. The body is a run of items: length of the entry (4), length of the
//! payload (4), entry, payload. The store id is random and unknown to senders, so no uploaded bytes
//! can pass for a batch.

use crate::record::Entry;

/// Longest body in bytes.
pub(crate) const BATCH_BYTES_MAX: usize = 32 << 20;
const MAGIC: [u8; 4] = *b"TGB1";
/// Bytes before the body.
pub(super) const HEADER_LEN: usize = 20;

/// A change and, where it accepts a small upload, that upload's bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) entry: Entry,
    pub(crate) payload: Option<Vec<u8>>,
}

/// Collects a batch; its buffer is reused.
#[derive(Debug)]
pub(crate) struct BatchBuilder {
    bytes: Vec<u8>,
    store_id: u64,
}

impl BatchBuilder {
    pub(crate) fn new(store_id: u64) -> Self {
        let mut builder = Self { bytes: Vec::new(), store_id };
        builder.clear();
        builder
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(HEADER_LEN, 0);
    }

    pub(crate) fn body_len(&self) -> usize {
        self.bytes.len() - HEADER_LEN
    }

    pub(crate) fn push(&mut self, entry: &Entry, payload: Option<&[u8]>) -> postcard::Result<()> {
        let encoded = postcard::to_allocvec(entry)?;
        let payload = payload.unwrap_or_default();
        self.bytes.extend_from_slice(&length(&encoded));
        self.bytes.extend_from_slice(&length(payload));
        self.bytes.extend_from_slice(&encoded);
        self.bytes.extend_from_slice(payload);
        Ok(())
    }

    /// The finished batch.
    pub(crate) fn finish(&mut self) -> &[u8] {
        let (header, body) = self.bytes.split_at_mut(HEADER_LEN);
        header.copy_from_slice(&header_of(self.store_id, body));
        &self.bytes
    }
}

/// A header that was found, its body still to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) body_len: usize,
    crc: u32,
    store_id: u64,
}

impl Header {
    pub(super) fn parse(bytes: [u8; HEADER_LEN], store_id: u64) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (id, rest) = rest.split_first_chunk::<8>()?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (crc, _) = rest.split_first_chunk::<4>()?;
        let body_len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        let known = *magic == MAGIC && u64::from_le_bytes(*id) == store_id && body_len <= BATCH_BYTES_MAX;
        known.then_some(Self { body_len, crc: u32::from_le_bytes(*crc), store_id })
    }

    pub(super) fn fits(self, body: &[u8]) -> bool {
        crc_of(self.store_id, body) == self.crc
    }
}

/// The first bytes of every header of this store; what a search for the next batch looks for.
pub(super) fn marker(store_id: u64) -> [u8; 12] {
    let mut marker = [0; 12];
    let (magic, id) = marker.split_at_mut(4);
    magic.copy_from_slice(&MAGIC);
    id.copy_from_slice(&store_id.to_le_bytes());
    marker
}

/// The items of a body whose CRC fits; `None` if it was not written by this program.
pub(super) fn items(mut body: &[u8]) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    while !body.is_empty() {
        let (entry_len, rest) = body.split_first_chunk::<4>()?;
        let (payload_len, rest) = rest.split_first_chunk::<4>()?;
        let (entry, rest) = rest.split_at_checked(u32::from_le_bytes(*entry_len) as usize)?;
        let (payload, rest) = rest.split_at_checked(u32::from_le_bytes(*payload_len) as usize)?;
        let payload = (!payload.is_empty()).then(|| payload.to_vec());
        items.push(Item { entry: postcard::from_bytes(entry).ok()?, payload });
        body = rest;
    }
    Some(items)
}

fn header_of(store_id: u64, body: &[u8]) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    let (start, rest) = header.split_at_mut(12);
    start.copy_from_slice(&marker(store_id));
    let (len, crc) = rest.split_at_mut(4);
    len.copy_from_slice(&length(body));
    crc.copy_from_slice(&crc_of(store_id, body).to_le_bytes());
    header
}

fn crc_of(store_id: u64, body: &[u8]) -> u32 {
    let seed = crc32c::crc32c(&store_id.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(seed, &length(body)), body)
}

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}
