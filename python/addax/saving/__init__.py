"""How the state of a training is kept in a file: its names, the file, and both ways between."""
