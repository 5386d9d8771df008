"""External programs, one module each: `probe()` says whether it is there and which version, other functions run it."""
