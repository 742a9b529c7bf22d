"""What `angarium plugins new` writes: a package that works, from the texts beside this file."""
