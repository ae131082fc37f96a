"""``python -m vagus`` is the command ``vagus``."""

from vagus.cli import main

if __name__ == "__main__":
    main()
