"""Training on a corpus: files made and checked, uploaded, and a fine-tuning job followed to its end."""
