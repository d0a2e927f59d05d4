"""`python -m etude` is the `etude` command."""

import sys

from etude.cli.main import main

sys.exit(main())
