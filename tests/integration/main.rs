//! End-to-end tests: they drive the built `mm` from outside.
