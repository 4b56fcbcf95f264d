"""Entry of the bundle's executable ``overread``: the window and the commands, without torch."""

from viewer.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main())
