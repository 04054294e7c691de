//! What the server does, seen on the wire by a plain client.

mod answers;
mod auth;
mod blobs;
mod bodies;
mod client;
mod connections;
mod ecr;
mod every;
mod gar_acr;
mod ghcr;
mod hub;
mod known;
mod lists;
mod manifests;
mod self_hosted;
#[cfg(feature = "tls")]
mod tls;
mod uploads;
