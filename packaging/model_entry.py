"""Entry of the bundle's executable ``overread-model``: the model process, without Qt."""

from inference.worker import main

if __name__ == "__main__":
    raise SystemExit(main())
