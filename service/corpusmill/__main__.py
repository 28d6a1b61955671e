"""`python -m corpusmill`."""

from corpusmill.cli.main import main

main()
