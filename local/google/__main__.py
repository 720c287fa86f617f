"""`python -m local.google`: the platform as it is deployed, on this machine, in the foreground."""

import signal
import sys

from local.signals import ENDING


def _main() -> int:
    # Before the other imports, as in `python -m local`.
    for number in ENDING:
        signal.signal(number, lambda *_: sys.exit(0))
    from local.google.server import main  # noqa: PLC0415

    return main()


if __name__ == "__main__":
    sys.exit(_main())
