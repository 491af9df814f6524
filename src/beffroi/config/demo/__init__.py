"""The demonstration: what `beffroi demo` builds and keeps running."""
