//! Everything that an expansion of the attribute may name. Not part of the public interface.
