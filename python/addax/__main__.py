"""``python -m addax doctor``, ``device-test`` and ``ops``."""

from __future__ import annotations

import argparse


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m addax", description="Addax on the command line."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="version, devices, ISA, threads, libraries; what is missing")
    device_test = commands.add_parser(
        "device-test", help="try a device: memory, queues, every op in every dtype, whole programs"
    )
    device_test.add_argument("plugin", help="a plug-in's file, or the name of a device: cpu:0")
    device_test.add_argument("-v", "--verbose", action="store_true", help="tell what passes, too")
    device_test.add_argument(
        "--patience",
        type=float,
        default=120.0,
        metavar="SECONDS",
        help="how long a check may take before it counts as hanging (default: 120)",
    )
    ops = commands.add_parser("ops", help="the ops that devices are given, with their attributes")
    ops.add_argument("name", nargs="*", help="tell all about these")
    given = parser.parse_args(arguments)

    if given.command == "device-test":
        from addax.conformance.report import check_plugin

        passed = check_plugin(given.plugin, verbose=given.verbose, patience=given.patience)
        return 0 if passed else 1
    if given.command == "ops":
        from addax.errors import InvalidArgumentError
        from addax.op_list import listing

        try:
            print(listing(given.name))
        except InvalidArgumentError as error:
            ops.error(str(error))
        return 0
    from addax.doctor import report

    print(report())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
