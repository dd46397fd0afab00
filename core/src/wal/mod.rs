//! The log: records to frames to segments, and back.
