"""What happened, as plain values that go sideways to whoever listens; nothing is read back from here."""
