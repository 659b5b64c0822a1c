"""``python -m cuntong``."""

from cuntong.cli import main

main()
