"""``zoo``: one command a module of `zoo.cli`; each loads what it needs when it runs."""

import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING

from benchmark import interrupts

if TYPE_CHECKING:
    import typer

INTERRUPTED = 128 + signal.SIGINT, 128 + signal.SIGTERM  # exit status, as shells have it


def build() -> "typer.Typer":
    """The program with its commands; nothing before this takes long."""
    import typer

    from zoo.cli import (
        bench,
        cache,
        check,
        compare,
        convert,
        cost,
        data,
        embed,
        evaluate,
        export,
        inspect,
        listing,
        publish,
        pull,
        report,
        reproduce,
        search,
        show,
        train,
        tune,
        verify,
    )

    app = typer.Typer(
        name="zoo",
        help="Compare attention methods for video person re-identification.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        epilog="Example: zoo bench --methods stenvan,sta --dataset synthetic. Results go to files, "
        "progress to stderr, data to stdout. Exit status: 0 done, 1 failed, 2 wrong use. "
        "ZOO_DEBUG=1 shows tracebacks.",
    )
    app.command("bench", epilog=bench.EXAMPLES)(bench.bench)
    app.command("train", epilog=train.EXAMPLES)(train.train)
    app.command("tune", epilog=tune.EXAMPLES)(tune.tune)
    app.command("eval", epilog=evaluate.EXAMPLES)(evaluate.evaluate)
    app.command("cost", epilog=cost.EXAMPLES)(cost.cost)
    app.command("report", epilog=report.EXAMPLES)(report.report)
    app.command("reproduce", epilog=reproduce.EXAMPLES)(reproduce.reproduce)
    app.command("inspect", epilog=inspect.EXAMPLES)(inspect.inspect)
    app.command("compare", epilog=compare.EXAMPLES)(compare.compare)
    app.command("list", epilog=listing.EXAMPLES)(listing.list_)
    app.command("check", epilog=check.EXAMPLES)(check.check)
    app.command("show", epilog=show.EXAMPLES)(show.show)
    app.command("pull", epilog=pull.EXAMPLES)(pull.pull)
    app.command("verify", epilog=verify.EXAMPLES)(verify.verify)
    app.command("cache", epilog=cache.EXAMPLES)(cache.cache)
    app.command("publish", epilog=publish.EXAMPLES)(publish.publish)
    app.command("export", epilog=export.EXAMPLES)(export.export)
    app.command("embed", epilog=embed.EXAMPLES)(embed.embed)
    app.command("search", epilog=search.EXAMPLES)(search.search)
    app.add_typer(data.app, name="data")
    app.add_typer(convert.app, name="convert")
    return app


def main() -> None:
    """Run a command; an error is one line on stderr, with status 1 (failed) or 2 (wrong use).

    Ctrl-C and SIGTERM end it with one line and status 130 or 143; nothing half-written stays.
    """
    interrupts.listen()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started this
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for the whole process
    if not os.environ.get("ZOO_DEBUG"):
        # libraries talk to each other, not to the user
        for kind in (FutureWarning, DeprecationWarning):
            warnings.simplefilter("ignore", kind)
    status = _run()
    if number := interrupts.received():
        interrupts.ignore()
        status = 128 + number
    if status in INTERRUPTED:
        print("zoo: interrupted; the same command goes on from here", file=sys.stderr)
    sys.exit(status)


def _run() -> int:
    """Exit status of the command that was typed."""
    try:
        app = build()
        status = _on_processes(app) if "RANK" in os.environ else app(standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED[0]
    except BrokenPipeError:  # as of `zoo list methods | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1  # as click has it
    except Exception as error:
        # an import that was interrupted may raise anything, and typer has an error of its own
        if interrupts.received() or type(error).__name__ == "Abort":
            return INTERRUPTED[0]
        if os.environ.get("ZOO_DEBUG"):
            raise
        return _tell(error)
    return status if isinstance(status, int) else 0


def _on_processes(app: "typer.Typer") -> object:
    """The command on the first process that a launcher started; the others help it."""
    from zoo.experiment.processes import lead

    return lead(lambda: app(standalone_mode=False))


def _tell(error: Exception) -> int:
    if hasattr(error, "format_message"):  # wrong use, found by the command line itself
        text, status = error.format_message(), 2
    elif isinstance(error, ValueError | LookupError):
        text, status = str(error), 2
    elif isinstance(error, OSError | RuntimeError):
        text, status = str(error), 1
    else:
        text = f"{type(error).__name__}: {error} (a bug in zoo: ZOO_DEBUG=1 shows where)"
        status = 1
    print("zoo: " + " ".join(text.split()), file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
