"""What is done to texts, whatever they are: pure functions from text to text."""
