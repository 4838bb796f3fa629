//! Pure vocabulary of tidegate: ids, organizations, job states and their transitions, calendar and gate. No I/O.
