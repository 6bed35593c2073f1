"""The arguments of commands, those of each in a module of its name."""
