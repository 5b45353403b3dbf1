"""The lab: a generated multilingual world for demos and tests, written as data files."""

from tasksearch.lab.recipe import LabRecipe
from tasksearch.lab.write import write_lab

__all__ = ["LabRecipe", "write_lab"]
