"""From a settings class to flags, and back.

A verb's settings class is its documentation: names, types, defaults and help all come from it, and the same names work
in a YAML file given to ``--config``. Nested settings become ``--group.name`` flags in a section of their own.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from vsdmot.config import attribute_help, flag_name, load, settings_class
from vsdmot.errors import ConfigError

T = TypeVar("T")


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `ConfigError` with one line, instead of printing its usage."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Raise instead of exiting."""
        raise ConfigError(f"{message} (see {self.prog} --help)")


def make_parser(
    cls: type, *, prog: str, positional: Sequence[str] = (), short: Mapping[str, str] | None = None
) -> Parser:
    """Make the parser of a verb.

    Args:
        cls: Its settings class.
        prog: How the command is called.
        positional: Names of settings that are given without a flag, in order.
        short: Names to one-letter flags.
    """
    hints = get_type_hints(cls)
    needed = [
        f"{flag_name(field.name)} {_metavar(hints[field.name])}"
        for field in dataclasses.fields(cls)
        if field.name not in positional
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    usage = " ".join([prog, *(f"{name.upper()}" for name in positional), *needed, "[options]"])
    parser = Parser(prog=prog, usage=usage, description=_without_attributes(cls.__doc__ or ""))
    parser.add_argument("--config", metavar="FILE.yaml", help="take settings from this file; flags win over it")
    _add(parser, parser, cls, "", set(positional), short or {})
    return parser


def parse(parser: Parser, cls: type[T], arguments: Sequence[str]) -> T:
    """Read the command line of a verb into its settings.

    Raises:
        ConfigError: A flag is unknown or a value is wrong; every problem, a line each.
    """
    values, unknown = parser.parse_known_args(arguments)
    flags = [flag for flag in unknown if flag.startswith("-") and flag != "-"]
    if unknown:
        raise ConfigError("\n".join(_unknown(parser, word) for word in flags or unknown))
    given = vars(values)
    config = given.pop("config", None)
    known = {action.dest: action.option_strings for action in parser._actions}

    def spelling(dotted: str) -> str:
        return (known.get(dotted) or [dotted.upper()])[-1]

    return load(cls, Path(config) if config else None, given, spelling)


def _add(
    parser: Parser,
    section: argparse._ActionsContainer,
    cls: type,
    prefix: str,
    positional: set[str],
    short: Mapping[str, str],
) -> None:
    """Add a flag for each field; what is not given leaves no trace, so that defaults live in one place."""
    hints, texts = get_type_hints(cls), attribute_help(cls)
    for field in dataclasses.fields(cls):
        dotted, hint = prefix + field.name, hints[field.name]
        nested = settings_class(hint)
        if nested is not None:
            group = parser.add_argument_group(dotted, (nested.__doc__ or "").strip().splitlines()[0])
            _add(parser, group, nested, f"{dotted}.", positional, short)
            continue
        text = texts[field.name].replace("%", "%%") + _default_text(field)
        if dotted in positional:
            count = "*" if _is_paths(hint) else "?"
            section.add_argument(dotted, metavar=field.name.upper(), nargs=count, default=argparse.SUPPRESS, help=text)
        elif hint is bool and field.default is False:
            section.add_argument(
                flag_name(dotted), dest=dotted, action="store_true", default=argparse.SUPPRESS, help=text
            )
        else:
            names = [*([short[dotted]] if dotted in short else []), flag_name(dotted)]
            several: dict[str, Any] = {"nargs": "+"} if _is_paths(hint) else {}
            section.add_argument(
                *names, dest=dotted, metavar=_metavar(hint), default=argparse.SUPPRESS, help=text, **several
            )


def _default_text(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING or field.default in (None, ()) or field.default is False:
        return ""
    default = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    return f" (default: {str(default).lower() if isinstance(default, bool) else default})"


def _is_paths(hint: Any) -> bool:
    """Whether a setting holds any number of paths; they follow their flag one by one, as the shell expands ``*``."""
    return get_origin(hint) is tuple and get_args(hint) == (Path, Ellipsis)


def _metavar(hint: Any) -> str:
    options = [option for option in get_args(hint) if option is not type(None)]
    if get_origin(hint) is Literal:
        return "|".join(map(str, options))
    if hint is bool:
        return "true|false"
    if options and get_origin(hint) is not tuple:
        return "|".join(dict.fromkeys(_metavar(option) for option in options))
    if _is_paths(hint):
        return "PATH"
    if get_origin(hint) is tuple and options[-1] is Ellipsis:
        return "NAME,NAME,..."
    if get_origin(hint) is tuple:
        return ",".join(_metavar(option) for option in options)
    return {int: "N", float: "X", Path: "PATH", str: "TEXT"}[hint]


def _unknown(parser: Parser, word: str) -> str:
    flags = [flag for action in parser._actions for flag in action.option_strings]
    near = difflib.get_close_matches(word.partition("=")[0], flags, n=1)
    hint = f"did you mean {near[0]}?" if near else f"see {parser.prog} --help"
    return f"{word}: unknown {'flag' if word.startswith('-') else 'argument'}; {hint}"


def _without_attributes(doc: str) -> str:
    lines = doc.split("\n    Attributes:")[0].strip().splitlines()
    return "\n".join(line.removeprefix("    ") for line in lines)
