//! The six walks: one value each through all the seams it meets. They were passed before the signatures were fixed.

mod archive_on_stdout;
mod config_edited_and_mounted;
mod index_killed_and_resumed;
mod layer_from_a_directory;
mod upload_over_a_restart;
mod weakened_store;
