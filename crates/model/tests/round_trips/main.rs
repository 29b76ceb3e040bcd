//! What is written can be read back, whatever it says.

mod documents;
mod facts;
mod wire;
