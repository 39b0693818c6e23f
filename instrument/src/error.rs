//! What can go wrong when a client is set up.
