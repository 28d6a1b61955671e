"""A corpus in the formats that trainers read: records in, lines or rows out."""
