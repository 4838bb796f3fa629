//! HL7 v2 files: bytes to batches, messages, verdicts and acknowledgments. No I/O beyond the reader it is given.
