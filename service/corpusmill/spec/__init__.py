"""What a job is: strict structs, sandboxed templates, and errors that name the path."""
