//! End-to-end tests.

mod adapters;
mod allowed;
mod arms;
mod bad_input;
mod crash;
mod decoding;
mod generate;
mod hand_off;
mod hostile_files;
mod hostile_text;
mod one_folder;
mod own_data;
mod plugins;
mod project;
mod refused;
mod resume_eval;
mod row_places;
mod rows;
mod schema;
mod swapped;
mod tampering;
mod tasks;
mod templates;
mod thread;
mod tidy;
mod transcripts;
