"""What must hold between the fields of a spec before anything is created or spent.

Rule of this room: a check takes the accepted structs and returns nothing; the first thing that is wrong is a SpecError
with its path, what is wrong, and the nearest valid name where a name is wrong.
"""

from corpusmill.spec.checks.axes import check_axes
from corpusmill.spec.checks.documents import check_documents
from corpusmill.spec.checks.filters import check_filters
from corpusmill.spec.checks.names import check_names
from corpusmill.spec.checks.outputs import check_outputs
from corpusmill.spec.checks.parameters import check_parameters
from corpusmill.spec.checks.steps import check_steps
from corpusmill.spec.checks.templates import check_templates
from corpusmill.spec.schema import JobSpec


def check_spec(spec: JobSpec) -> None:
    """Check a whole spec.

    Axes that name a file are taken as they are; check again once the files are read. Documents are not looked at.

    Raises:
        SpecError: for the first thing that is wrong.
    """
    check_axes(spec.space.axes)
    check_documents(spec.space)
    check_parameters(spec.steps)
    check_steps(spec)
    check_names(spec)
    check_templates(spec)
    check_filters(spec)
    check_outputs(spec)
