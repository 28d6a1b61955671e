"""Each condition of a filter from outside: a spec is compiled, a subject judged, a reason told."""

import random
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from corpusmill.chain.completion import Prompt
from corpusmill.chain.evaluation_files import inline_evaluation_files
from corpusmill.chain.filters import Subject, both, compile_checks, edited, first_rejection
from corpusmill.chain.filters.sample import ONE_IN, is_sampled
from corpusmill.spec.checks import check_spec
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Evaluation, Filter, JobSpec

UNSAMPLED = next(index for index in range(1000) if not is_sampled(index))
SAMPLED = next(index for index in range(1000) if is_sampled(index))
TASK = "Imagine a detailed plot outline for a science fiction film that is set in the city of Lyon in the year 2140."
WORDS = [
    "the",
    "old",
    "ship",
    "left",
    "harbour",
    "at",
    "dawn",
    "while",
    "nobody",
    "on",
    "shore",
    "believed",
    "that",
    "it",
    "would",
    "ever",
    "return",
    "again",
]


def subject_of(text: str, output: object = None, index: int = UNSAMPLED, **values: object) -> Subject:
    prompt = Prompt("chat", f"k3j9-x81q\n{TASK}\nWrite it in five acts.")
    told = {"nonce": "k3j9-x81q", "index": index, **values}
    return Subject(text, "stop", text if output is None else output, prompt, told)


def judged(subject: Subject, **conditions: Any) -> str | None:
    """The reason for which one filter rejects, once in the order of the engine."""
    checks = compile_checks([msgspec.convert({"of": "plot", **conditions}, Filter)], "plot")
    rejection = first_rejection(checks.of_text, subject)
    rejection = both(rejection, first_rejection(checks.of_output, edited(checks, subject)))
    return rejection.reason if rejection is not None else None


def prose(rng: random.Random, words: int) -> str:
    return " ".join("".join(rng.choices("abcdefghij", k=rng.randint(2, 9))) for _ in range(words))


@pytest.mark.parametrize(
    ("conditions", "text", "output", "expected"),
    [
        ({"min_bytes": 5}, "äöü", None, None),
        ({"min_bytes": 7}, "äöü", None, "min_bytes"),
        ({"max_bytes": 5}, "äöü", None, "max_bytes"),
        ({"min_items": 2}, "- a", ["a"], "min_items"),
        ({"min_items": 2, "max_items": 2}, "- a\n- b", ["a", "b"], None),
        ({"max_items": 1}, "a\n\nb\n", None, "max_items"),
        ({"min_value": 4}, "grade: 3", 3.0, "min_value"),
        ({"min_value": 4}, "grade: 4", 4.0, None),
        ({"max_value": 4}, "grade: 5", 5.0, "max_value"),
        ({"min_value": 4}, "good", None, "min_value"),
        ({"json_schema": {"type": "object", "required": ["a"]}}, '{"a": 1}', {"a": 1}, None),
        ({"json_schema": {"type": "object", "required": ["a"]}}, '{"b": 1}', {"b": 1}, "json_schema"),
        ({"json_schema": {"type": "array"}}, "[1, 2]", None, None),
        ({"json_schema": {"type": "array"}}, "no JSON", None, "json_schema"),
        ({"json_schema": {"type": "array"}}, "[" * 100_000, None, "json_schema"),
        ({"language": ["en"]}, "The film opens on a grey harbour, where an old fisherman mends his nets.", None, None),
        (
            {"language": ["en", "fr"]},
            "Le film s'ouvre sur un port gris où un vieux pêcheur répare ses filets.",
            None,
            None,
        ),
        (
            {"language": ["en"]},
            "Der Film beginnt in einem grauen Hafen, wo ein Fischer Netze flickt.",
            None,
            "language",
        ),
        ({"language": ["en"]}, "Zu kurz dafür.", None, None),
    ],
)
def test_each_condition_names_its_reason(
    conditions: dict[str, Any], text: str, output: object, expected: str | None
) -> None:
    assert judged(subject_of(text, output), **conditions) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A quiet story about a lighthouse.", None),
        ("k3j9-x81q A quiet story about a lighthouse.", "no_echo"),
        (f"You asked: {TASK} Here it is.", "no_echo"),
        (f"Sure! {TASK[:60]}", None),
        ("Write it in five acts. So be it.", None),
    ],
)
def test_an_answer_that_repeats_the_nonce_or_a_stretch_of_the_prompt_is_an_echo(
    text: str, expected: str | None
) -> None:
    assert judged(subject_of(text), no_echo=True) == expected


def test_how_long_a_repeated_stretch_must_be_can_be_said() -> None:
    assert judged(subject_of(f"Sure! {TASK[:60]}"), no_echo=40) == "no_echo"


@given(st.integers(0, 10**6))
def test_what_a_long_prompt_holds_in_its_middle_may_be_quoted(seed: int) -> None:
    note = prose(random.Random(seed), 3000)
    subject = replace(subject_of(note[8000:9000]), prompt=Prompt("chat", f"{TASK}\n{note}\n{TASK}"))
    assert judged(subject, no_echo=True) is None
    assert judged(replace(subject, text=f"ok {TASK}"), no_echo=True) == "no_echo"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" ".join(WORDS), None),
        ("I cannot stop. " * 40, "no_repetition"),
        ("\n".join(["- the same line of the list", *WORDS] * 3), "no_repetition"),
        ("\n".join(f"ACT {act}: {' '.join(random.Random(act).sample(WORDS, 9))}" for act in range(5)), None),
        (f"{' '.join(WORDS)}\n\n" * 2, "no_repetition"),
        ("yes\nno\nyes", "no_repetition"),
    ],
)
def test_texts_that_repeat_themselves_are_rejected(text: str, expected: str | None) -> None:
    assert judged(subject_of(text.strip()), no_repetition=True) == expected


def test_how_much_may_be_repeated_can_be_said() -> None:
    subject = subject_of("yes\nno\nyes")
    assert judged(subject, no_repetition={"lines": 0.5}) is None
    assert judged(subject, no_repetition={"lines": 0.3}) == "no_repetition"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Write to jane.roe@corpusmill.io today.", "email"),
        ("Write to jane@example.com or anna@mail.example today.", None),
        ("Call +49 30 901820 now", "phone"),
        ("Call (212) 736-5000 now", "phone"),
        ("Call (212) 555-0123 now", None),
        ("His number is 219-09-9999.", "ssn"),
        ("His number is 000-12-3456 or 901-12-3456.", None),
        ("Card 4111 1111 1111 1111, please", "card"),
        ("Card 4111 1111 1111 1112, please", None),
        ("the server at 8.8.8.8.", "ip"),
        ("the server at 192.168.0.1, 127.0.0.1, 203.0.113.9 and 999.1.1.1", None),
        ("version 1.2.3.4.5 of it", None),
        ("It was 1984, or 2,000,000 years later; 10 of 12 agreed on 3.14159.", None),
    ],
)
def test_what_may_identify_a_person_is_found_by_its_kind(text: str, kind: str | None) -> None:
    assert judged(subject_of(text), no_pii=True) == ("no_pii" if kind else None)
    if kind:
        assert judged(subject_of(text), no_pii=[kind]) == "no_pii"
        others = [other for other in ("email", "phone", "ssn", "card", "ip") if other != kind]
        assert judged(subject_of(text), no_pii=others) is None


NOTE = (
    "Patient is a 54-year-old woman with type 2 diabetes. Medications: metformin 500 mg twice daily, lisinopril 10mg. "
    "She denies chest pain; reports shortness of breath \u2014 and a \u201cdry cough\u201d at night."
)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (["metformin", "Lisinopril 10mg"], None),
        (["dry cough", "Shortness  of breath"], None),
        (["metformin", "insulin"], "grounded_in"),
        (["cough dry"], "grounded_in"),
        (["met"], "grounded_in"),
        ([], None),
        ([{"drug": "metformin", "dose": "500 mg"}], None),
        ([{"drug": "metformin", "dose": "850 mg"}], "grounded_in"),
        ([54, True, None], None),
        ([55], "grounded_in"),
        ("metformin\nlisinopril", None),
        ("metformin\naspirin", "grounded_in"),
    ],
)
def test_each_item_must_occur_in_the_source(output: object, expected: str | None) -> None:
    assert judged(subject_of("x", output, note=NOTE), grounded_in="note") == expected


def test_items_may_occur_nearly_where_the_spec_allows() -> None:
    subject = subject_of("x", ["metformine 500 mg", "dry coughs"], note=NOTE)
    assert judged(subject, grounded_in="note") == "grounded_in"
    assert judged(subject, grounded_in={"document": "note", "similarity": 85}) is None
    assert judged(subject_of("x", ["naproxen"], note=NOTE), grounded_in={"document": "note", "similarity": 85})


def test_ungrounded_items_can_be_dropped() -> None:
    checks = compile_checks(
        [msgspec.convert({"of": "plot", "grounded_in": {"document": "note", "drop": True}}, Filter)], "plot"
    )
    left = edited(checks, subject_of("x", ["metformin", "insulin", "dry cough"], note=NOTE))
    assert left.output == ["metformin", "dry cough"]
    assert first_rejection(checks.of_output, left) is None
    none = edited(checks, subject_of("x", ["insulin", "aspirin"], note=NOTE))
    assert first_rejection(checks.of_output, none) is not None


def test_confabulated_items_are_told_from_noted_ones() -> None:
    """Generated notes: recall and precision of rejecting items that are not in the note, with and without typos."""
    rng = random.Random(11)
    for similarity, typo in ((None, False), (88, True)):
        caught = missed = false_alarms = grounded = 0
        for _ in range(300):
            items = [prose(rng, rng.randint(1, 3)) for _ in range(8)]
            note = f"{prose(rng, 100)}. {'; '.join(items[:4]).capitalize()}. {prose(rng, 100)}."
            for place, item in enumerate(items):
                told = item[:5] + item[6:] if typo and place < 4 and len(item) > 12 else item.title()
                grounding = {"document": "note", "similarity": similarity}
                wrong = judged(subject_of("x", [told], note=note), grounded_in=grounding) is not None
                caught, missed = caught + (wrong and place >= 4), missed + (not wrong and place >= 4)
                false_alarms, grounded = false_alarms + (wrong and place < 4), grounded + (place < 4)
        assert caught / (caught + missed) >= 0.95
        assert caught / (caught + false_alarms) >= 0.99


def evaluated(tmp_path: Path, name: str, content: str, ngram: int = 8) -> JobSpec:
    (tmp_path / name).write_text(content)
    filters = [{"of": "plot", "decontaminate": {"file": name, "ngram": ngram}}]
    spec = msgspec.convert(
        {
            "name": "job",
            "space": {"axes": {"a": ["x"]}},
            "steps": [{"name": "plot", "prompt": "{{ a }}"}],
            "examples": [{"name": "row", "prompt": "", "completion": "{{ plot }}"}],
            "filters": filters,
        },
        JobSpec,
    )
    check_spec(spec)
    return inline_evaluation_files(spec, tmp_path)


QUESTION = "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May."


@pytest.mark.parametrize("name", ["eval.txt", "eval.jsonl"])
def test_texts_that_share_a_run_of_words_with_an_evaluation_file_are_rejected(tmp_path: Path, name: str) -> None:
    line = msgspec.json.encode({"question": QUESTION, "answer": ["short"]}).decode() if name.endswith("l") else QUESTION
    spec = evaluated(tmp_path, name, f"{line}\n")
    (tmp_path / name).unlink()
    spec = msgspec.json.decode(msgspec.json.encode(spec), type=JobSpec)
    checks = compile_checks(spec.filters, "plot").of_text
    leaked = first_rejection(checks, subject_of("Solve: natalia SOLD clips to 48 of her friends!"))
    assert leaked is not None
    assert leaked.reason == "decontaminate"
    assert "natalia sold clips to 48 of her friends" in leaked.detail
    assert first_rejection(checks, subject_of("Natalia sold clips to 48 of his friends in April.")) is None
    assert inline_evaluation_files(spec, tmp_path) == spec


@pytest.mark.parametrize(
    ("content", "problem"), [("too short\n", "no text of 8 words"), ('{"a": "b"}\n{"a', "line 2: not JSON")]
)
def test_an_evaluation_file_that_cannot_serve_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(SpecError, match=problem) as told:
        evaluated(tmp_path, "eval.jsonl" if content.startswith("{") else "eval.txt", content)
    assert told.value.path == "filters[0].decontaminate.file"
    with pytest.raises(SpecError, match="there is no file"):
        inline_evaluation_files(
            replace(
                evaluated(tmp_path, "ok.txt", QUESTION), filters=[Filter("plot", decontaminate=Evaluation("gone.txt"))]
            ),
            tmp_path,
        )


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ({"min_items": 3, "max_items": 2}, r"filters\[0\].max_items: 2 is less than `min_items`, 3"),
        ({"language": ["xx"]}, r"filters\[0\].language: `xx` is no language"),
        ({"json_schema": {"type": "objekt"}}, r"filters\[0\].json_schema: not a JSON Schema"),
        ({"json_schema": {"$ref": "http://localhost/x"}}, r"filters\[0\].json_schema: not a JSON Schema"),
        ({"decontaminate": {"file": "e.txt", "runs": "no"}}, r"filters\[0\].decontaminate.runs: is filled in when"),
        ({"grounded_in": "nte"}, r"filters\[0\].grounded_in: `nte` is no document, axis or earlier step"),
        ({"grounded_in": "plot"}, r"filters\[0\].grounded_in: `plot` is no document, axis or earlier step"),
    ],
)
def test_a_condition_that_cannot_be_met_is_a_fault_of_the_spec(
    tmp_path: Path, condition: dict[str, Any], problem: str
) -> None:
    spec = replace(
        evaluated(tmp_path, "e.txt", QUESTION), filters=[msgspec.convert({"of": "plot", **condition}, Filter)]
    )
    with pytest.raises(SpecError, match=problem):
        check_spec(spec)


def test_a_sampled_item_is_judged_by_all_conditions_and_others_by_the_first_that_fails() -> None:
    filters = [Filter("plot", min_chars=100, no_pii=True), Filter("plot", matching="z"), Filter("plot", no_echo=True)]
    checks = compile_checks(filters, "plot").of_text
    for index, also in ((UNSAMPLED, ()), (SAMPLED, ("no_pii", "matching"))):
        rejection = first_rejection(checks, subject_of("at 8.8.8.8 there", index=index))
        assert rejection is not None
        assert (rejection.reason, rejection.also) == ("min_chars", also)


def test_one_item_in_a_hundred_is_sampled_and_always_the_same() -> None:
    sample = [index for index in range(200_000) if is_sampled(index)]
    assert abs(len(sample) - 200_000 / ONE_IN) < 150
    assert max(later - earlier for earlier, later in pairwise(sample)) < 2500


ALL: dict[str, Any] = {
    "finish_reason": ["stop"], "min_chars": 1, "max_bytes": 10**9, "min_words": 0, "not_matching": "qqq",
    "no_refusal": True, "no_echo": True, "no_pii": True, "no_repetition": True, "language": ["en"],
    "decontaminate": {"file": "e", "ngram": 5, "runs": "AAAAAAAAAAE="}, "min_items": 0, "max_value": 3,
    "json_schema": {"type": "array"}, "grounded_in": {"document": "note", "similarity": 80, "drop": True},
}  # fmt: skip
outputs = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=300)
@given(st.sampled_from(sorted(ALL)), st.text(max_size=200), outputs, st.text(max_size=100))
def test_no_text_and_no_output_breaks_a_condition(name: str, text: str, output: object, note: str) -> None:
    reason = judged(subject_of(text, output, note=note), **{name: ALL[name]})
    assert reason is None or reason.removeprefix("min_") in name.removeprefix("min_")


@pytest.mark.parametrize("unit", ["a", "1", "@", "a@", "1-", "8.", "((", "ab\n", "a b ", "\n\n", "é", "界", "4111 "])
def test_conditions_take_time_in_proportion_to_the_text(unit: str) -> None:
    filters = [msgspec.convert({"of": "plot", **{k: v for k, v in ALL.items() if k != "json_schema"}}, Filter)]
    checks = compile_checks(filters, "plot")

    def seconds(length: int) -> float:
        subject = subject_of((unit * length)[:length], note=prose(random.Random(1), 200), index=SAMPLED)
        began = time.process_time()
        first_rejection(checks.of_text, subject)
        return time.process_time() - began

    seconds(20_000)
    assert min(seconds(400_000) for _ in range(2)) < 20 * 8 * max(min(seconds(20_000) for _ in range(3)), 0.002)
