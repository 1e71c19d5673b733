"""How ``--help`` is printed: in groups, nothing cut short, an example a line."""

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

from zoo.cli.loading import load_for

WIDEST = 120  # columns of text, however wide the terminal is
# what a command is for -> its names, in the order in which they are printed
COMMANDS = {
    "Run": ("bench", "train", "tune", "reproduce"),
    "Look": ("report", "compare", "inspect", "eval", "score", "cost", "list", "show"),
    "Checkpoints": ("pull", "verify", "publish", "convert", "export", "cache"),
    "Data": ("data", "embed", "search"),
    "Extend": ("new", "check"),
}
# what an option is about -> its names; those that are in no group come first
OPTIONS = {
    "Scoring": ("protocol", "rerank", "sweep", "also_test", "validate", "select"),
    "Where and how": (
        *("device", "precision", "workers", "compile", "cudnn_benchmark", "limit", "plugin"),
        *("out", "dry_run"),
    ),
    "Many machines": (
        *("engine", "address", "gpus_per_run", "cpus_per_run", "at_once", "processes_per_run"),
    ),
}


class Command(TyperCommand):
    """A command whose help has its options in groups."""

    def invoke(self, ctx: Any) -> Any:
        """Carry it out, and say meanwhile that torch is being loaded."""
        load_for(self.name or "")
        return super().invoke(ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, then options by what they are about."""
        parts: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        parts |= {title: [] for title in OPTIONS}
        group_of = {name: title for title, names in OPTIONS.items() for name in names}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            if row is not None:
                named = group_of.get(parameter.name or "", "Options")
                parts["Arguments" if isinstance(parameter, TyperArgument) else named].append(row)
        _write(formatter, parts)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Examples, a line each as they are typed, and what there is to say besides."""
        _write_examples(formatter, self.epilog)


class Commands(TyperGroup):
    """The program, whose help has its commands in groups."""

    command_class = Command
    group_class = type

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Every command with its whole sentence."""
        whole = COMMANDS if ctx.parent is None else {}  # not of `zoo data` and the like
        group_of = {name: title for title, names in whole.items() for name in names}
        parts: dict[str, list[tuple[str, str]]] = {title: [] for title in whole}
        for name in sorted(self.commands, key=_place):
            command = self.commands[name]
            text = (command.short_help or command.help or "").strip().splitlines()
            title = group_of.get(name, "More" if whole else "Commands")
            parts.setdefault(title, []).append((name, text[0] if text else ""))
        _write(formatter, parts)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """As of a command."""
        _write_examples(formatter, self.epilog)


def _place(name: str) -> tuple[int, str]:
    order = [one for names in COMMANDS.values() for one in names]
    return (order.index(name) if name in order else len(order), name)


def _write(formatter: Any, parts: dict[str, list[tuple[str, str]]]) -> None:
    for title, rows in parts.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def _write_examples(formatter: Any, epilog: str | None) -> None:
    """Lines up to the first blank one are examples; what follows is wrapped."""
    examples, _, words = (epilog or "").strip().partition("\n\n")
    if examples:
        formatter.write("\nExamples:\n")
        formatter.write("".join(f"  {line}\n" for line in examples.splitlines()))
    if words:
        formatter.write("\n")
        formatter.write_text(" ".join(words.split()))
