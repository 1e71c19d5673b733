"""``zoo``: one command a module of `zoo.cli`; each loads what it needs when it runs."""

import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Annotated

from benchmark import interrupts
from zoo import __version__

if TYPE_CHECKING:
    import typer

EPILOG = """
zoo bench --methods stenvan,sta --dataset synthetic
zoo bench -h

Results go to files, progress to stderr, data to stdout. Exit status: 0 done, 1 failed, 2 wrong
use. ZOO_DEBUG=1 shows tracebacks.
"""
INTERRUPTED = 128 + signal.SIGINT, 128 + signal.SIGTERM  # exit status, as shells have it


def build() -> "typer.Typer":
    """The program with its commands; nothing before this takes long."""
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
        new,
        publish,
        pull,
        report,
        reproduce,
        score,
        search,
        show,
        train,
        tune,
        verify,
    )
    from zoo.cli.help import Command

    app = _program()
    app.command("bench", cls=Command, epilog=bench.EXAMPLES)(bench.bench)
    app.command("train", cls=Command, epilog=train.EXAMPLES)(train.train)
    app.command("tune", cls=Command, epilog=tune.EXAMPLES)(tune.tune)
    app.command("eval", cls=Command, epilog=evaluate.EXAMPLES)(evaluate.evaluate)
    app.command("score", cls=Command, epilog=score.EXAMPLES)(score.score)
    app.command("cost", cls=Command, epilog=cost.EXAMPLES)(cost.cost)
    app.command("report", cls=Command, epilog=report.EXAMPLES)(report.report)
    app.command("reproduce", cls=Command, epilog=reproduce.EXAMPLES)(reproduce.reproduce)
    app.command("inspect", cls=Command, epilog=inspect.EXAMPLES)(inspect.inspect)
    app.command("compare", cls=Command, epilog=compare.EXAMPLES)(compare.compare)
    app.command("list", cls=Command, epilog=listing.EXAMPLES)(listing.list_)
    app.command("check", cls=Command, epilog=check.EXAMPLES)(check.check)
    app.command("new", cls=Command, epilog=new.EXAMPLES)(new.new)
    app.command("show", cls=Command, epilog=show.EXAMPLES)(show.show)
    app.command("pull", cls=Command, epilog=pull.EXAMPLES)(pull.pull)
    app.command("verify", cls=Command, epilog=verify.EXAMPLES)(verify.verify)
    app.command("cache", cls=Command, epilog=cache.EXAMPLES)(cache.cache)
    app.command("publish", cls=Command, epilog=publish.EXAMPLES)(publish.publish)
    app.command("export", cls=Command, epilog=export.EXAMPLES)(export.export)
    app.command("embed", cls=Command, epilog=embed.EXAMPLES)(embed.embed)
    app.command("search", cls=Command, epilog=search.EXAMPLES)(search.search)
    app.add_typer(data.app, name="data")
    app.add_typer(convert.app, name="convert")

    return app


def _program() -> "typer.Typer":
    """The program without its commands."""
    import typer

    from zoo.cli.help import WIDEST, Commands

    app = typer.Typer(
        name="zoo",
        help="Compare attention methods for video person re-identification.",
        no_args_is_help=True,
        cls=Commands,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        epilog=EPILOG,
    )

    @app.callback()
    def program(
        version: Annotated[
            bool,
            typer.Option(
                "--version",
                callback=_print_version,
                is_eager=True,
                help="Print the version and stop.",
            ),
        ] = False,
    ) -> None:
        """Compare attention methods for video person re-identification."""

    return app


def _print_version(asked: bool) -> None:
    if asked:
        import typer

        print(__version__)
        raise typer.Exit


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
        status = _on_processes(app) if "RANK" in os.environ else _call(app)
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
        if type(error).__name__ == "TooFewProcesses":
            sys.exit(_start_processes(error.wanted))
        if os.environ.get("ZOO_DEBUG"):
            raise
        return _tell(error)
    return status if isinstance(status, int) else 0


def _call(app: "typer.Typer") -> object:
    """The command's exit status; a group of commands alone prints its help."""
    try:
        return app(standalone_mode=False)
    except Exception as error:
        if type(error).__name__ != "NoArgsIsHelpError":
            raise
        print(error.format_message())
        return 0


def _on_processes(app: "typer.Typer") -> object:
    """The command on the first process that a launcher started; the others help it."""
    from zoo.experiment.processes import lead

    if "TORCHELASTIC_RUN_ID" in os.environ:  # torch's launcher watches over them until they end
        interrupts.end_with_parent(os.getppid())
    return lead(lambda: _call(app))


def _start_processes(count: int) -> int:
    """The same command on so many processes, which print whatever there is to say."""
    from zoo.experiment.launch import launch

    return launch(count, sys.argv[1:])


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
