//! Transcripts of the program, one binary.

mod cookbook;
mod interrupts;
mod kills;
mod pipes;
mod refusals;
mod repair;
mod rights;
mod settings;
mod stevedore;
mod terminal;
mod together;
mod verbs;
