"""The tasks that the nugget knows, one a file."""

from __future__ import annotations

from typing import Any

from aurify.nugget.tasks.base import Pen, TaskForm
from aurify.nugget.tasks.boolean_expressions import BooleanExpressions
from aurify.nugget.tasks.dyck_languages import DyckLanguages
from aurify.nugget.tasks.hyperbaton import Hyperbaton
from aurify.nugget.tasks.navigate import Navigate
from aurify.nugget.tasks.object_counting import ObjectCounting
from aurify.nugget.tasks.web_of_lies import WebOfLies

REGISTRY: dict[str, TaskForm[Any]] = {
    task.name: task
    for task in (
        ObjectCounting(),
        WebOfLies(),
        Navigate(),
        BooleanExpressions(),
        Hyperbaton(),
        DyckLanguages(),
    )
}

__all__ = ["REGISTRY", "Pen", "TaskForm"]
