//! Transcripts of the program, one binary.

mod archives;
mod cookbook;
mod documents;
mod explain;
mod interrupts;
mod kills;
mod large;
mod layouts;
mod login;
mod needs_root;
mod pipes;
mod refusals;
mod registries;
mod registry;
mod repair;
mod rights;
mod settings;
mod stevedore;
mod terminal;
mod together;
mod verbs;
