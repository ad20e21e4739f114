#!/usr/bin/env python3
"""Runs the code cells of a notebook, in its folder, without Jupyter.

    run_notebook.py NOTEBOOK           ends with 1 and the traceback at the first cell that fails
    run_notebook.py NOTEBOOK --write   keeps what the cells print and show in the notebook

Shown is the value of a cell's last expression: as a picture if it has _repr_png_, else as its repr.
"""
import argparse
import ast
import base64
import contextlib
import io
import json
import os
import pathlib


def run_cell(source, names):
    """Runs one cell; returns what it printed, and the value of its last expression."""
    tree = ast.parse(source)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<cell>", "exec"), names)
        value = eval(compile(last, "<cell>", "eval"), names) if last else None
    return printed.getvalue(), value


def shown(value):
    """A value as a notebook's data, by MIME type."""
    data = {"text/plain": repr(value).splitlines(keepends=True)}
    if hasattr(value, "_repr_png_"):
        data["image/png"] = base64.b64encode(value._repr_png_()).decode("ascii")
    return data


def outputs_of(source, names, count):
    printed, value = run_cell(source, names)
    outputs = []
    if printed:
        outputs.append({"output_type": "stream", "name": "stdout",
                        "text": printed.splitlines(keepends=True)})
    if value is not None:
        outputs.append({"output_type": "execute_result", "execution_count": count, "metadata": {},
                        "data": shown(value)})
    return outputs


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", type=pathlib.Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    path = arguments.notebook.resolve()
    notebook = json.loads(path.read_text(encoding="utf-8"))
    os.chdir(path.parent)
    names = {"__name__": "__main__"}
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for count, cell in enumerate(code, start=1):
        cell["outputs"] = outputs_of("".join(cell["source"]), names, count)
        cell["execution_count"] = count
    if arguments.write:
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
