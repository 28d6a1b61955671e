"""Ready prompts that others wrote, as a spec of ours and the documents that it reads."""
