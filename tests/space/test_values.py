"""Axis values: plain scalars, and strings with a label and a definition."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.space.values import Labelled, axis_value, encode_value
from corpusmill.spec.template import compile_template

ENCODER = msgspec.json.Encoder(enc_hook=encode_value)


@given(label=st.text().filter(lambda text: ": " not in text + " "), definition=st.text())
def test_a_string_with_a_colon_and_a_space_has_a_label_and_a_definition(label: str, definition: str) -> None:
    value = axis_value(f"{label}: {definition}")
    assert isinstance(value, Labelled)
    assert (value.label, value.definition) == (label, definition)


@given(text=st.text(), definition=st.text())
def test_a_labelled_value_is_the_string_it_was_made_of(text: str, definition: str) -> None:
    full = f"{text}: {definition}"
    value = axis_value(full)
    assert value == full
    assert hash(value) == hash(full)
    assert f"{value}" == full


@pytest.mark.parametrize("scalar", ["plain", "12:30", "a:b", "", 3, 2.5, True])
def test_any_other_scalar_stays_what_it_is(scalar: str | float) -> None:
    assert axis_value(scalar) is scalar


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_msgspec_encodes_the_full_text(definition: str) -> None:
    full = f"Noir: {definition}"
    assert ENCODER.encode({"tone": axis_value(full)}) == msgspec.json.encode({"tone": full})


def test_the_hook_hides_no_other_type() -> None:
    with pytest.raises(TypeError, match="object"):
        ENCODER.encode({"tone": object()})


def test_templates_read_both_parts() -> None:
    template = compile_template("{{ tone }} | {{ tone.label }} | {{ tone.definition }}")
    assert template.render({"tone": axis_value("Noir: dark: and wet")}) == "Noir: dark: and wet | Noir | dark: and wet"
