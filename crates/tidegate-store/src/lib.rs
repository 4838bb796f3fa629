//! Everything durable: the spool, the journal and the queue's index.
