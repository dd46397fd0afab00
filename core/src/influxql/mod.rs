//! InfluxQL: text to statements.
