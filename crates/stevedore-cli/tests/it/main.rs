//! Transcripts of the program, one binary.
