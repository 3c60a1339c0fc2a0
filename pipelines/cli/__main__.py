"""`python -m pipelines.cli` is `jianbao`, also where no script is installed."""

from __future__ import annotations

from pipelines.cli import main

if __name__ == "__main__":
    main()
