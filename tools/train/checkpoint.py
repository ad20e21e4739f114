"""Training's state as a file, and the student in it."""

import os
import pickle

import torch

import network

FORMAT = "limn-training-1"


def save(path, state):
    """Written beside and renamed, so that a run killed meanwhile leaves the one before."""
    part = f"{path}.part"
    torch.save({"format": FORMAT, **state}, part)
    with open(part, "rb") as file:
        os.fsync(file.fileno())
    os.replace(part, path)


def load(path):
    """The state in the file. Raises ValueError for other files."""
    try:
        state = torch.load(path, map_location="cpu")
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"'{path}' is not a checkpoint: {error}") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"'{path}' is not a checkpoint of this program ({FORMAT})")
    return state


def student_of(state):
    """The student of a checkpoint, on the CPU."""
    levels = network.parse_spec(state["network"])
    student = network.Student(levels, network.parse_taps(state["taps"], levels),
                              state["teacher_channels"])
    student.load_state_dict(state["student"])
    return student
