//! Line protocol: bytes to points.
