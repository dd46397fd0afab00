//! The side-by-side benchmark behind `make bench`.
