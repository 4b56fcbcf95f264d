"""Set Overread up and start it: ``python3 start.py``; check it: ``python3 start.py test``.

Only the standard library is needed. What is done is told in packaging/bootstrap.py;
this file must be readable by any Python, so that an old one gets a sentence and no
syntax error.
"""

import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    sys.exit(
        "Overread needs Python {}.{} or later, this is {}.{}. ".format(
            *OLDEST + sys.version_info[:2]
        )
        + "Install a newer Python and start this file with it."
    )

if __name__ == "__main__":
    from pathlib import Path

    # The folder packaging/ is no package on purpose (it would hide PyPI's), so its
    # scripts are reached through the path.
    ROOT = Path(__file__).resolve().parent
    sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]
    import bootstrap

    sys.exit(bootstrap.main(sys.argv[1:]))
