//! Nothing: the test beside it is all there is.
