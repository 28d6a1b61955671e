"""The job spec as values: what a spec may say, and nothing else.

Rule of this file: structs only. Every struct forbids unknown keys; bounds that one field can state on its own stand
in its type (`msgspec.Meta`), everything that needs two fields is checked in `spec.checks`. Reading YAML, JSON and TOML
into these structs, with errors that name the path, is `spec.load`.
"""

from corpusmill.spec.schema.clean import Clean, Cleaning
from corpusmill.spec.schema.documents import Chunk, Documents, Group, Truncate
from corpusmill.spec.schema.examples import Example, Format, Message, Pairs, Role, Split
from corpusmill.spec.schema.filters import RECORD, Dedup, Evaluation, Filter, Grounding, PersonalKind, Repetition
from corpusmill.spec.schema.job import Budget, JobSpec, Limits, Shards
from corpusmill.spec.schema.space import Axis, SpaceSpec, Target
from corpusmill.spec.schema.steps import Rounds, Speaker, Step, TopUp
from corpusmill.spec.schema.words import (
    DIGEST_PATTERN,
    IDENTIFIER_PATTERN,
    JOB_NAME_PATTERN,
    Concurrency,
    Identifier,
    JobName,
    Natural,
    Positive,
    Scalar,
    Share,
    Strict,
)

__all__ = [
    "DIGEST_PATTERN",
    "IDENTIFIER_PATTERN",
    "JOB_NAME_PATTERN",
    "RECORD",
    "Axis",
    "Budget",
    "Chunk",
    "Clean",
    "Cleaning",
    "Concurrency",
    "Dedup",
    "Documents",
    "Evaluation",
    "Example",
    "Filter",
    "Format",
    "Grounding",
    "Group",
    "Identifier",
    "JobName",
    "JobSpec",
    "Limits",
    "Message",
    "Natural",
    "Pairs",
    "PersonalKind",
    "Positive",
    "Repetition",
    "Role",
    "Rounds",
    "Scalar",
    "Shards",
    "Share",
    "SpaceSpec",
    "Speaker",
    "Split",
    "Step",
    "Strict",
    "Target",
    "TopUp",
    "Truncate",
]
