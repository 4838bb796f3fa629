//! Claims jobs while the gate is open, checks, delivers, responds, finishes.
