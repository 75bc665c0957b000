"""YAML in which no key stands twice in one mapping.

The specification forbids it (https://yaml.org/spec/1.2.2/#3213-node-comparison), but PyYAML takes the last
one, and Terraform, which reads the same contracts, may not: a column would be open here and private there.
"""

from typing import Any

import yaml


class _EachKeyOnce(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(name, deep=True) for name, _ in node.value]
        for position, name in enumerate(names):
            if name in names[:position]:
                place = node.value[position][0].start_mark
                problem = f"{name!r} stands twice in one mapping"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=place)
        return super().construct_mapping(node, deep)


def load_yaml(text: str) -> Any:
    """The document as plain values. Raises yaml.YAMLError."""
    return yaml.load(text, _EachKeyOnce)
