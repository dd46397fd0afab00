//! Recent rows in memory.
