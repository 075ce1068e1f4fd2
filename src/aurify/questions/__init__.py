"""Questions whose answers are known: read from any question file, split, and put to a model as prompts.

``load_questions`` reads JSON Lines, JSON, CSV, TSV and Parquet, gzipped or not, and data sets of the Hugging Face
hub; it knows the field names and answer forms of the common reasoning sets, and gives every question a stable id.
"""

from aurify.questions.answer_types import infer_answer_type
from aurify.questions.encoded import Prompts
from aurify.questions.load import LoadedQuestions, load_questions, read_questions
from aurify.questions.prompts import TEMPLATES, PromptTemplate
from aurify.questions.record import Question
from aurify.questions.split import split_questions

__all__ = [
    "TEMPLATES",
    "LoadedQuestions",
    "PromptTemplate",
    "Prompts",
    "Question",
    "infer_answer_type",
    "load_questions",
    "read_questions",
    "split_questions",
]
