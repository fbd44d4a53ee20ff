"""build_configs as typed values that know where each came from."""
