//! The record on real files: added to, reopened, cut, bent.
