"""The forms of steps that are more than one prompt: for each element, a fold, topped up, a dialogue.

Rules of this file: a form is a generator over a way that asks, leaves what the step gave among the answers, and returns
the verdict on it. Whatever a form makes of several completions is one subject: its filters judge that.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from corpusmill.chain.asks import Asking, Fork, Judged
from corpusmill.chain.completion import GaveUp
from corpusmill.chain.dialogue import Turn, addressed, spoken, transcript
from corpusmill.chain.filters import Rejection, Subject
from corpusmill.chain.parsers import ParseError
from corpusmill.chain.step import CompiledStep, Each, Fold, Form, Rounds, TopUp
from corpusmill.chain.verdict import (
    PARSE,
    PASSED,
    Verdict,
    as_text,
    cleaned,
    failed,
    joined_finish_reason,
    judge_whole,
    rejected,
)
from corpusmill.chain.way import Way
from corpusmill.spec.errors import RenderError
from corpusmill.spec.wording import kind_of

MOST_ELEMENTS = 1_000
"""Elements that a step is asked for at most."""


def take(way: Way, number: int, step: CompiledStep, form: Form) -> Asking:
    """Return the generator of a step's form."""
    match form:
        case Each():
            return each(way, number, step, form)
        case Fold():
            return fold(way, number, step, form)
        case TopUp():
            return top_up(way, number, step, form)
        case Rounds():
            return rounds(way, number, step, form)


def each(way: Way, number: int, step: CompiledStep, form: Each) -> Asking:
    """Ask for each element of a list, side by side; what passes makes the output."""
    branches = [
        way.passing(number, step, {**way.values, "element": element, "position": place}, place)
        for place, element in enumerate(elements(form, way.values))
    ]
    results: list[Judged | None] = (yield Fork(branches, form.require_all)) if branches else []
    judged = [result for result in results if result is not None]
    passed = [subjects[verdict.choices[0]] for verdict, subjects in judged if verdict.outcome == "kept"]
    faults = [(verdict, subjects) for verdict, subjects in judged if verdict.outcome != "kept"]
    if faults and (form.require_all or not passed):
        verdict, subjects = faults[0]
        _gather(way, step, [], subjects[:1])
        return verdict
    _gather(way, step, [subject.output for subject in passed], passed)
    return PASSED


def fold(way: Way, number: int, step: CompiledStep, form: Fold) -> Asking:
    """Ask for one element after the other, each time with what the step gave for the one before."""
    values = {**way.values, "previous": ""}
    states: list[object] = []
    subject: list[Subject] = []
    for place, element in enumerate(elements(form, way.values)):
        values |= {"element": element, "position": place}
        verdict, subjects = yield from way.passing(number, step, values, place)
        if verdict.outcome != "kept":
            _gather(way, step, states, subjects[:1])
            return verdict
        subject = [subjects[verdict.choices[0]]]
        values["previous"] = subject[0].output
        states.append(subject[0].output)
    _gather(way, step, states, subject)
    return PASSED


def top_up(way: Way, number: int, step: CompiledStep, form: TopUp) -> Asking:
    """Ask for more until the list has as many different items as are wanted, or there were enough calls."""
    values = {**way.values, "so_far": ()}
    items: dict[str, object] = {}
    said: list[Subject] = []
    problem = ""
    for call in range(form.calls):
        prompt, reply = yield from way.once(number, step, values, call)
        if isinstance(reply, GaveUp):
            return failed(reply)
        choice = reply.choices[0]
        try:
            text = cleaned(step, choice)
            said.append(Subject(text, choice.finish_reason, text, prompt, values))
            for item in _items(step, text):
                items.setdefault(_key(item), item)
        except ParseError as error:
            problem = str(error)
        values["so_far"] = tuple(items.values())
        if len(items) >= form.items:
            break
    found = list(items.values())
    if not found:
        _gather(way, step, found, said)
        return rejected(Rejection(PARSE, problem))
    return _judge_gathered(way, step, found, said, as_text(found))


def rounds(way: Way, number: int, step: CompiledStep, form: Rounds) -> Asking:
    """Let the speakers take turns until there were enough of them."""
    history: list[Turn] = []
    said: list[Subject] = []
    names = [name for name, _ in form.speakers]
    values = {**way.values, "history": history}
    for turn in range(form.turns):
        name, speaker = form.speakers[turn % len(names)]
        values |= {"turn": turn, "speaker": name}
        address = partial(addressed, history=history, speaker=name, names=names, told=form.told)
        prompt, reply = yield from way.once(number, speaker, values, turn, address)
        if isinstance(reply, GaveUp):
            _gather(way, step, history, said, text=transcript(history))
            return failed(reply)
        text = spoken(cleaned(step, reply.choices[0]), name, names)
        said.append(Subject(text, reply.choices[0].finish_reason, text, prompt, values))
        history.append({"speaker": name, "text": text})
        if form.until is not None and form.until.evaluate(values):
            break
    return _judge_gathered(way, step, history, said, transcript(history))


def _judge_gathered(
    way: Way, step: CompiledStep, output: Sequence[object], subjects: Sequence[Subject], text: str
) -> Verdict:
    """Judge what a step made of several texts."""
    _gather(way, step, output, subjects, text=text)
    verdict, way.answers[step.name] = judge_whole(step, way.answers[step.name][0])
    return verdict


def elements(form: Each | Fold, values: Mapping[str, object]) -> Sequence[object]:
    """Return the list that a step goes through.

    Raises:
        RenderError: it is no list, or too long.
    """
    key = "each" if isinstance(form, Each) else "fold"
    found = form.elements.evaluate(values)
    if not isinstance(found, list | tuple):
        raise RenderError(f"`{key}` gives {kind_of(found)}, not a list")
    if len(found) > MOST_ELEMENTS:
        raise RenderError(f"`{key}` gives {len(found):,} elements; {MOST_ELEMENTS:,} are the most")
    return found


def _gather(
    way: Way, step: CompiledStep, output: Sequence[object], subjects: Sequence[Subject], *, text: str | None = None
) -> None:
    """Leave what a step made of several texts as its one answer."""
    if text is None:
        text = "\n".join([subject.text for subject in subjects])
    prompt = subjects[-1].prompt if subjects else None
    way.answers[step.name] = [Subject(text, joined_finish_reason(subjects), list(output), prompt, way.values)]


def _items(step: CompiledStep, text: str) -> list[object]:
    """Return what one answer adds to a list."""
    found = step.parse(text) if step.parse is not None else [text]
    return found if isinstance(found, list) else [found]


def _key(item: object) -> str:
    """Return what makes an item different from another: its text but for case and spacing."""
    return " ".join(as_text(item).casefold().split())
