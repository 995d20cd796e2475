"""Settings: frozen dataclasses, filled from YAML, JSON and ``key.sub=value`` overrides, checked all at once.

A settings class is a frozen keyword-only dataclass whose docstring has an ``Attributes:`` section; that section is
also the help text of the command line. Its ``__post_init__`` calls `check` with the ranges of its fields.
Loading collects every problem (unknown key, wrong type, out of range) and raises one `ConfigError` that lists them
in the spelling the user typed, with the nearest known name.

This is the one mechanism for flags, files and checkpoints, and it needs nothing beyond PyYAML, so that training runs
where only torch is installed.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from vsdmot.errors import ConfigError

T = TypeVar("T")
Rule = Callable[[Any], str | None]


def load(
    cls: type[T],
    path: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    spelling: Callable[[str], str] | None = None,
) -> T:
    """Make settings from a YAML (or JSON) file and overrides.

    Args:
        cls: The settings class.
        path: A YAML file that maps names to values; None for the defaults.
        overrides: Dotted names to values that win over the file; text values are read as YAML scalars.
        spelling: How the user spelled an override, for messages; None leaves the dotted name.

    Raises:
        ConfigError: The file is missing or not a mapping, or any value is unknown or invalid.
    """
    tree: dict[str, object] = read_yaml(path) if path else {}
    overrides = overrides or {}
    for dotted, value in overrides.items():
        node = tree
        *parents, last = dotted.split(".")
        for name in parents:
            child = node.setdefault(name, {})
            if not isinstance(child, dict):
                raise ConfigError(f"{path}: {name}: expected a mapping, because {dotted} is set too, got {child!r}")
            node = child
        node[last] = value

    def label(dotted: str) -> str:
        if path and dotted not in overrides:
            return f"{path}: {dotted}"
        return spelling(dotted) if spelling else dotted

    return _from_tree(cls, tree, label)


def read_yaml(path: Path) -> dict[str, object]:
    """Read a YAML file that holds a mapping, with the safe loader.

    Raises:
        ConfigError: The file is missing, not YAML or not a mapping.
    """
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such settings file") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict) or not all(isinstance(key, str) for key in tree):
        raise ConfigError(f"{path}: expected a mapping of names to values, got {type(tree).__name__}")
    return tree


def from_mapping(cls: type[T], values: Mapping[str, object], where: str = "") -> T:
    """Make settings from nested plain values.

    Args:
        cls: The settings class.
        values: Names to values; nested settings are nested mappings. Missing names take their defaults.
        where: File name for messages.

    Raises:
        ConfigError: One line for each problem, all of them.

    >>> @dataclasses.dataclass(frozen=True, kw_only=True)
    ... class Lamp:
    ...     watts: float = 5.0
    >>> from_mapping(Lamp, {"watts": 7})
    Lamp(watts=7.0)
    >>> from_mapping(Lamp, {"wats": 7}, where="lamp.yaml")
    Traceback (most recent call last):
    vsdmot.errors.ConfigError: lamp.yaml: wats: unknown setting; did you mean 'watts'?
    """
    return _from_tree(cls, values, lambda dotted: f"{where}: {dotted}" if where else dotted)


def to_mapping(settings: object) -> dict[str, Any]:
    """Turn settings into nested plain values that `from_mapping` reads back."""
    return {field.name: _plain(getattr(settings, field.name)) for field in dataclasses.fields(settings)}  # type: ignore[arg-type]


def attribute_help(cls: type) -> dict[str, str]:
    """Read the ``Attributes:`` section of a settings class: name to text on one line."""
    section = re.split(r"\n\s*Attributes:\n", cls.__doc__ or "", maxsplit=1)[1:]
    entries: dict[str, str] = {}
    indent, name = None, ""
    for line in section[0].splitlines() if section else []:
        if not line.strip():
            break
        depth = len(line) - len(line.lstrip())
        indent = depth if indent is None else indent
        if depth == indent:
            name, _, text = line.strip().partition(": ")
            entries[name] = text
        else:
            entries[name] += " " + line.strip()
    return entries


def check(settings: object, **rules: Rule) -> None:
    """Apply one rule to each named field; raise `ConfigError` with every breach, a line each."""
    problems = []
    for name, rule in rules.items():
        value = getattr(settings, name)
        expected = rule(value) if value is not None else None
        if expected:
            problems.append(f"{name}: must be {expected}, got {value!r}")
    if problems:
        raise ConfigError("\n".join(problems))


def within(low: float, high: float) -> Rule:
    """Rule: a number from ``low`` to ``high``, both allowed."""
    return lambda value: None if low <= value <= high else f"from {low:g} to {high:g}"


def at_least(low: float) -> Rule:
    """Rule: a number not below ``low``."""
    return lambda value: None if value >= low else f"at least {low:g}"


def above(low: float) -> Rule:
    """Rule: a number greater than ``low``."""
    return lambda value: None if value > low else f"greater than {low:g}"


def flag_name(dotted: str) -> str:
    """Spell a setting as a command-line flag; an underscore at its end keeps it apart from a word of Python.

    >>> flag_name("lifecycle.miss_tolerance"), flag_name("from_")
    ('--lifecycle.miss-tolerance', '--from')
    """
    return "--" + dotted.removesuffix("_").replace("_", "-")


def settings_class(hint: object) -> type | None:
    """Give the dataclass that a field's type names (also ``X | None``), or None for plain values."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return next((o for o in options if isinstance(o, type) and dataclasses.is_dataclass(o)), None)


def _listed_class(hint: object) -> type | None:
    """Give the dataclass of a ``tuple[X, ...]``, or None."""
    inner = get_args(hint)
    listed = get_origin(hint) is tuple and len(inner) == 2 and inner[1] is Ellipsis
    return settings_class(inner[0]) if listed else None


def _from_tree(cls: type[T], tree: Mapping[str, object], label: Callable[[str], str]) -> T:
    problems: list[str] = []
    settings = _build(cls, tree, "", label, problems)
    if settings is None:
        raise ConfigError("\n".join(problems))
    return settings


def _build(
    cls: type[T], values: Mapping[str, object], prefix: str, label: Callable[[str], str], problems: list[str]
) -> T | None:
    """Make one settings object, or append every problem found at or below it."""
    hints = get_type_hints(cls)
    known = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    arguments: dict[str, object] = {}
    before = len(problems)
    for name, value in values.items():
        dotted = prefix + name
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {prefix + near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
            problems.append(f"{label(dotted)}: unknown setting; {hint}")
            continue
        nested = settings_class(hints[name])
        listed = _listed_class(hints[name])
        if nested is not None and isinstance(value, Mapping):
            part = _build(nested, value, f"{dotted}.", label, problems)
            if part is not None:
                arguments[name] = part
        elif listed is not None and isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
            parts = [_build(listed, item, f"{dotted}[{i}].", label, problems) for i, item in enumerate(value)]
            arguments[name] = tuple(part for part in parts if part is not None)
        else:
            try:
                arguments[name] = _convert(value, hints[name])
            except (ValueError, TypeError) as error:
                problems.append(f"{label(dotted)}: expected {error}, got {value!r}")
    for name, field in known.items():
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            if name not in values:
                problems.append(f"{label(prefix + name)}: missing, and there is no default")
            if name not in arguments:
                return None
    try:  # even after a problem, with defaults in its place, to find what else is wrong
        settings = cls(**arguments)
    except ConfigError as error:
        for line in str(error).splitlines():  # "name: what is wrong", from `check`
            name, separator, text = line.partition(": ")
            problems.append(f"{label(prefix + name)}: {text}" if separator and name in known else line)
    return settings if len(problems) == before else None


def _convert(value: object, hint: Any) -> object:
    """Bring a value to a field's type; text is read as a YAML scalar unless the field wants text.

    Raises:
        ValueError: With a description of what was expected.
    """
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        options = get_args(hint)
        if type(None) in options and (value is None or value in ("none", "null")):
            return None
        options = tuple(option for option in options if option is not type(None))
        for option in options:
            try:
                return _convert(value, option)
            except (ValueError, TypeError):
                continue
        raise ValueError(" or ".join(_describe(option) for option in options))
    if origin is Literal:
        if value in get_args(hint):
            return value
        raise ValueError(_describe(hint))
    if hint is str and isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    if hint is Path and isinstance(value, str | Path):
        return Path(value)
    if origin is tuple and isinstance(value, str):
        value = [part.strip() for part in value.strip("[]()").split(",") if part.strip()]
    if origin is tuple and isinstance(value, Sequence):
        return _convert_tuple(value, hint)
    if isinstance(value, str) and hint in (int, float, bool):
        value = yaml.safe_load(value)
        value = float(value) if isinstance(value, str) and hint is float else value  # YAML reads 1e-4 as text
    if hint is bool and isinstance(value, bool):
        return value
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and isinstance(value, hint):
        return value
    raise ValueError(_describe(hint))


def _convert_tuple(value: Sequence[object], hint: Any) -> tuple[object, ...]:
    inner = get_args(hint)
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_convert(item, inner[0]) for item in value)
    if len(value) != len(inner):
        raise ValueError(_describe(hint))
    return tuple(_convert(item, kind) for item, kind in zip(value, inner, strict=True))


def _describe(hint: Any) -> str:
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "a path"}
    if hint in names:
        return names[hint]
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(str, get_args(hint)))
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        size = "a list of" if inner[-1] is Ellipsis else f"{len(inner)} values, each"
        return f"{size} {_describe(inner[0])}"
    return f"the settings of {getattr(hint, '__name__', hint)}"


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_mapping(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
