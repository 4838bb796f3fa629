//! Numbered steps from one store layout to the next.
