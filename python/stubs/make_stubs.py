#!/usr/bin/env python3
"""Makes the type stubs of Python's limn: a template, with the settings of recipes put in.

    make_stubs.py TEMPLATE OUTPUT

In the template, a line "# sections" stands for the classes of a recipe's sections, "# settings"
for the attributes of a recipe, and "# keywords NAME..." for the settings as keywords of a
function, but for those of these names.
"""
import pathlib
import sys

from limn.recipes import KEYWORDS, SECTIONS

# A setting's type, as it is read and as it may be assigned.
READ = {"str": "str", "bool": "bool", "int": "int", "float": "float",
        "layers": "Mapping[str, float]", "ints": "tuple[int, ...]", "floats": "tuple[float, ...]"}
GIVEN = READ | {"ints": "int | Iterable[int]", "floats": "float | Iterable[float]"}


def type_of(field, types):
    """The type; that of an enumeration is its names."""
    return f"Literal[{', '.join(map(repr, field.choices))}]" if field.choices else types[field.type]


def attributes(fields):
    """The settings as attributes of a class."""
    for field in fields:
        read, given = type_of(field, READ), type_of(field, GIVEN)
        doc = f'"""{field.help}. Values: {field.values}."""'
        if read == given:
            yield from (f"    {field.name}: {read}", f"    {doc}")
        else:
            yield from ("    @property", f"    def {field.name}(self) -> {read}:",
                        f"        {doc}", f"    @{field.name}.setter",
                        f"    def {field.name}(self, value: {given}) -> None: ...")


def class_name(section):
    return f"_{section.title().replace('_', '')}Section"


def sections():
    """The classes of all sections."""
    for section, fields in SECTIONS.items():
        if section:
            yield from ("", f"class {class_name(section)}:", *attributes(fields))


def settings():
    """What a recipe has by itself, and its sections."""
    yield from attributes(SECTIONS[""])
    for section in SECTIONS:
        if section:
            yield from ("    @property", f"    def {section}(self) -> {class_name(section)}: ...")


def keywords(left_out):
    """The settings as keywords, but for those that the function has itself or does not take."""
    for keyword, field in KEYWORDS.items():
        if keyword not in left_out:
            yield f"    {keyword}: {type_of(field, GIVEN)} = ...,"


MAKERS = {"sections": sections, "settings": settings, "keywords": keywords}


def filled(line):
    """The lines for one of the template's."""
    mark, *words = line.split() or [""]
    if mark == "#" and words[0] in MAKERS:
        make = MAKERS[words[0]]
        return make(words[1:]) if make is keywords else make()
    return [line]


def main(template, output):
    lines = pathlib.Path(template).read_text(encoding="utf-8").splitlines()
    text = "\n".join(new for line in lines for new in filled(line))
    pathlib.Path(output).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
