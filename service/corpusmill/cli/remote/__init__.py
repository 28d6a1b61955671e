"""Commands that ask a daemon. They stand on its client, as anybody else's programs do."""
