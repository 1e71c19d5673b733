"""``python -m zoo``, as launchers of several processes want it: ``torchrun … -m zoo bench``."""

from zoo.cli.app import main

if __name__ == "__main__":
    main()
