"""The embedded generated multilingual world: writes files in the packed layout, knows no card."""

from tasksearch.lab.recipe import LabRecipe
from tasksearch.lab.write import write_lab

__all__ = ["LabRecipe", "write_lab"]
