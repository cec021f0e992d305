"""``python -m addax doctor``."""

from __future__ import annotations

import argparse


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m addax", description="Addax on the command line."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="version, devices, ISA, threads, libraries; what is missing")
    parser.parse_args(arguments)

    from addax.doctor import report

    print(report())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
