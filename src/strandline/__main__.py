"""``python -m strandline``: the same as the ``strandline`` command."""

import sys

from strandline.cli import main

sys.exit(main())
