//! The only place where stages meet; holds no algorithms.
