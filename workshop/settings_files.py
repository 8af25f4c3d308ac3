"""Settings files: arguments by name and value, for `--config`. A value is a text, read as on the command line.

Nothing in a file is constructed or executed: of YAML only the tree of its nodes is made, and numbers and words in it
stay as they were typed. Nested settings get names with dots (`net: {batch_size: 8}` is `net.batch_size`), which no
argument has, but a program that a lesson descends from.
"""

import re
from pathlib import Path
from typing import Any, ClassVar

from workshop.errors import UserError
from workshop.files import explain, read_json, reading

#: What a setting can be: a text; yes or no, for a switch; None, as if it were not there; or a list, which none can.
Setting = str | bool | None | list[Any]

#: No settings file is larger.
MAX_BYTES = 1 << 16
#: The files that are read as YAML; the others are JSON.
YAML_SUFFIXES = (".yml", ".yaml")


def read(path: Path) -> dict[str, Any]:
    """The content of a settings file: names, and texts, switches, None, lists, or settings within.

    Args:
        path: a `.yml`, `.yaml` or `.json` file; an experiment's run.json is one.

    Raises:
        UserError: it cannot be read, is too large or damaged, or is of another kind.
    """
    suffix = path.suffix.lower()
    if suffix == ".json":
        return read_json(path, typed=True)
    if suffix not in YAML_SUFFIXES:
        raise UserError(f"{path} is no settings file: its name ends in .yml, .yaml or .json")
    try:
        with reading(path) as (file, size):
            if size > MAX_BYTES:
                raise UserError(f"{path} is larger than a settings file can be ({MAX_BYTES >> 10} kB)")
            content = file.read(size)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    return _yaml(content, path)


def flat(settings: dict[str, Any], under: str = "") -> dict[str, Setting]:
    """Nested settings as one level, the names joined by dots; numbers of JSON as texts."""
    found: dict[str, Setting] = {}
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{under}{name}.")
        else:
            found[under + name] = value if value is None or isinstance(value, bool | list) else str(value)
    return found


def _yaml(content: bytes, path: Path) -> dict[str, Any]:
    """The settings of a YAML file.

    Raises:
        UserError: it is not valid YAML, or holds something else than names and values.
    """
    # Late, because most trainings have no settings file.
    import yaml

    class Loader(yaml.SafeLoader):
        """Takes words and numbers for texts: in YAML 1.1 `no` is a truth value, `1e-3` a text and `12:30` a number."""

        yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

        def compose_node(self, parent: Any, index: Any) -> Any:
            """A node. An alias could stand for its own parent, and ten lines of aliases for a billion settings."""
            if self.check_event(yaml.AliasEvent):
                raise ValueError(f"line {self.peek_event().start_mark.line + 1}: aliases are not used in settings")
            return super().compose_node(parent, index)

    Loader.add_implicit_resolver("bool", re.compile(r"(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
    Loader.add_implicit_resolver("null", re.compile(r"(~|null|Null|NULL|)$"), ["~", "n", "N", ""])

    def value_of(node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return settings_of(node)
        if isinstance(node, yaml.SequenceNode):
            return [...]
        if node.tag == "null":
            return None
        if node.tag == "bool":
            return node.value.lower() == "true"
        return node.value

    def settings_of(node: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError(f"line {key.start_mark.line + 1}: a name is expected")
            if key.value in found:
                raise ValueError(f"line {key.start_mark.line + 1}: {key.value} stands there twice")
            found[key.value] = value_of(value)
        return found

    try:
        root = yaml.compose(content, Loader=Loader)
        if root is not None and not isinstance(root, yaml.MappingNode):
            raise ValueError("it should hold names and values, such as `rnn_size: 128`")
        return settings_of(root) if root is not None else {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = f"line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark else str(error).split("\n")[0]
        raise UserError(f"{path} is damaged: it is not valid YAML ({problem})") from error
