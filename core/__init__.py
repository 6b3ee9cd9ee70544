"""The rules of the domain: plain values in, plain values out; no I/O, no clock, no async."""
