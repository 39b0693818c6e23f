//! What an attribute costs the compiler and the program's size: packages of annotated functions, and cargo over them.

pub mod generate;
pub mod measure;
