"""`python -m local`: serve the whole platform on this machine, in the foreground."""

import signal
import sys

from local.signals import ENDING


def _main() -> int:
    # Before the other imports, which take a moment: Ctrl-C ends the program without a stack trace then too.
    for number in ENDING:
        signal.signal(number, lambda *_: sys.exit(0))
    from local.server import main  # noqa: PLC0415

    return main()


if __name__ == "__main__":
    sys.exit(_main())
