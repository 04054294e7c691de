#![doc = include_str!("../README.md")]

pub mod auth;
mod date;
mod secret;
mod sys;
mod url;
