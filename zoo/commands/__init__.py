"""The commands, one a module; each is a function that typer reads its options from."""
