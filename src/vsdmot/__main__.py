"""``python -m vsdmot`` is ``vsdmot``; ``torchrun -m vsdmot train ...`` trains on several processes."""

import sys

from vsdmot.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
