"""Training on a corpus: the command against a served provider, killed at every point of its course."""

import json
import tracemalloc
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest

from corpusmill.exports.formats import JSON_LINES
from corpusmill.exports.record import Record
from corpusmill.finetune.attempt import Attempt
from corpusmill.finetune.course import carry, tag_of
from corpusmill.finetune.errors import FinetuneError, OutageError
from corpusmill.finetune.material import Material, Part, write_material
from corpusmill.finetune.provider import Provider
from tests.cli.harness import invoke
from tests.e2e.running import command, simulated, started, write_spec

MODEL = "simulated"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The base URL of a provider."""
    with simulated("--tuning-seconds", "0.6") as base_url:
        yield base_url


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, provider: str) -> Path:
    """A folder with the finished job `job`, split by an axis."""
    folder = tmp_path_factory.mktemp("corpus")
    space = {"axes": {"genre": ["noir", "western"], "place": [f"the town {n}" for n in range(40)]}}
    example = {"name": "row", "prompt": "{{ genre }} in {{ place }}:", "completion": " {{ plot }} END"}
    steps = [{"name": "plot", "prompt": "Imagine a plot for a {{ genre }} film set in {{ place }}."}]
    split = {"validation": 0.2, "by": "place"}
    spec = write_spec(folder, space=space, steps=steps, examples=[example], split=split, filters=[])
    done = command("run", spec, "--quiet", folder=folder, base_url=provider)
    assert done.returncode == 0, done.stderr
    return folder


def train(folder: Path, base_url: str, *options: str) -> dict[str, Any]:
    done = command("finetune", "job", *options, "--json", folder=folder, base_url=base_url)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def client(base_url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=base_url, api_key="any", max_retries=0, timeout=10)


def counts(base_url: str) -> tuple[int, int]:
    """How many files and jobs the provider has."""
    with client(base_url) as asking:
        return len(list(asking.files.list())), len(list(asking.fine_tuning.jobs.list()))


def test_the_way_from_a_corpus_to_a_model(corpus: Path, provider: str) -> None:
    before = counts(provider)
    made = train(corpus, provider, "--model", MODEL, "--epochs", "2", "--usd-per-million-tokens", "8")
    assert made["status"] == "succeeded"
    assert made["fine_tuned_model"].startswith("ft:simulated:")
    material = made["material"]
    assert material["training"]["examples"] + material["validation"]["examples"] == 80
    assert material["shared"] == 0
    assert made["estimated_cost_usd"] == pytest.approx(material["training"]["tokens"] * 2 * 8e-6)
    assert counts(provider) == (before[0] + 2, before[1] + 1)
    again = train(corpus, provider)
    assert again["fine_tuned_model"] == made["fine_tuned_model"]
    assert counts(provider) == (before[0] + 2, before[1] + 1), "a job that is over is not made again"
    another = train(corpus, provider, "--again", "--model", MODEL)
    assert another["number"] == 2
    assert another["fine_tuned_model"] != made["fine_tuned_model"]
    assert counts(provider) == (before[0] + 4, before[1] + 2)


def test_a_killed_wait_goes_on_without_a_second_job(corpus: Path, provider: str) -> None:
    before = counts(provider)
    running = started("finetune", "job", "--again", "--model", MODEL, folder=corpus, base_url=provider)
    assert running.stderr is not None
    for line in running.stderr:
        if "job at the provider" in line:
            break
    running.kill()
    running.communicate()
    made = train(corpus, provider)
    assert made["status"] == "succeeded"
    assert counts(provider) == (before[0] + 2, before[1] + 1)


def test_preferences_are_ordered_as_dpo(tmp_path: Path, provider: str) -> None:
    example = {"name": "row", "prompt": "{{ genre }} {{ n }}:", "chosen": "{{ plot }}", "rejected": "None: {{ index }}"}
    spec = write_spec(
        tmp_path,
        examples=[example],
        filters=[],
        space={"axes": {"genre": ["noir"], "n": list(range(12))}},
        steps=[{"name": "plot", "prompt": "Imagine a plot for a {{ genre }} film, number {{ n }}."}],
    )
    assert command("run", spec, "--quiet", folder=tmp_path, base_url=provider).returncode == 0
    made = train(tmp_path, provider, "--model", MODEL, "--format", "openai-preference", "--epochs", "1")
    assert made["status"] == "succeeded"
    with client(provider) as asking:
        job = asking.fine_tuning.jobs.retrieve(made["provider_job"])
    assert job.method is not None
    assert job.method.type == "dpo"


def test_a_check_uploads_nothing(corpus: Path, provider: str, tmp_path: Path) -> None:
    before = counts(provider)
    done = command("finetune", "job", "--again", "--model", MODEL, "--check", folder=corpus, base_url=provider)
    assert done.returncode == 0
    assert "cost of training: unknown" in done.stderr
    assert counts(provider) == before
    assert train(corpus, provider)["status"] == "succeeded"


def test_what_cannot_be_is_refused(corpus: Path, provider: str) -> None:
    train(corpus, provider, "--model", MODEL)
    before = counts(provider)
    for options, said in (
        (("--again",), "--model"),
        (("--again", "--model", MODEL, "--example", "roe"), "known here: `row`"),
        (("--model", "other"), "--again"),
    ):
        result = invoke("finetune", "job", "--data", corpus / "data", *options, OPENAI_BASE_URL=provider)
        assert isinstance(result.exception, FinetuneError)
        assert said in str(result.exception)
    nowhere = invoke("finetune", "job", "--data", corpus / "data", "--again", "--model", MODEL)
    assert "set OPENAI_BASE_URL" in str(nowhere.exception)
    assert counts(provider) == before


def test_questions_on_both_sides_are_refused_by_number(tmp_path: Path, provider: str) -> None:
    spec = write_spec(tmp_path, split={"validation": 0.3}, filters=[])
    assert command("run", spec, "--quiet", folder=tmp_path, base_url=provider).returncode == 0
    done = command("finetune", "job", "--model", MODEL, folder=tmp_path, base_url=provider)
    assert done.returncode == 2
    assert "training side too" in done.stderr
    allowed = command("finetune", "job", "--model", MODEL, "--allow-shared", folder=tmp_path, base_url=provider)
    assert allowed.returncode == 0, allowed.stderr


def test_memory_does_not_grow_with_the_corpus_and_what_is_refused_leaves_nothing(tmp_path: Path) -> None:
    lines = 4_000
    answer = "word " * 2_000

    def records(count: int) -> Iterator[Record]:
        for number in range(count):
            side = "validation" if number % 10 == 0 else "train"
            yield Record(
                f"job:{number}", number, "row", msgspec.Raw(b"{}"), prompt=f"{number}?", completion=answer, split=side
            )

    tracemalloc.start()
    try:
        material = write_material(records(lines), JSON_LINES["prompt-completion"], tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    written = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert material.validation is not None
    assert written == {"training.jsonl": material.training.bytes, "validation.jsonl": material.validation.bytes}
    assert material.training.examples + material.validation.examples == lines
    assert peak < sum(written.values()) / 4

    refused = tmp_path / "refused"
    refused.mkdir()
    twice = chain(records(lines), [msgspec.structs.replace(each, split="train") for each in records(1)])
    with pytest.raises(FinetuneError, match="1 questions of the validation side"):
        write_material(twice, JSON_LINES["prompt-completion"], refused)
    assert list(refused.iterdir()) == []


class Killed(BaseException):
    """The process dies."""


class Mortal:
    """Everything outside of the process, before and after each of whose doings the process may die."""

    def __init__(self, provider: Provider, dies_at: int | None, loses: bool) -> None:
        self._provider, self._dies_at, self._loses = provider, dies_at, loses
        self.moments = 0

    def __getattr__(self, name: str) -> Any:
        def act(*arguments: Any) -> Any:
            self._moment()
            done = getattr(self._provider, name)(*arguments)
            self._moment()
            return done

        return act

    def keep(self, attempt: Attempt) -> None:
        self._moment()
        self.kept = attempt
        self._moment()

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self._dies_at:
            if self._loses:
                raise OutageError("the answer was lost")
            raise Killed


def prepared(folder: Path, number: int) -> Attempt:
    """An attempt that has asked for nothing yet."""
    exchange = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "He."}]
    content = (json.dumps({"messages": exchange}) + "\n").encode() * 10
    (folder / "training.jsonl").write_bytes(content)
    material = Material(Part(10, 40, len(content), "0" * 64, 9), None, 0)
    return Attempt(number, tag_of("job", MODEL, number, material), MODEL, "", material)


@pytest.mark.parametrize("loses", [False, True], ids=["killed", "an answer is lost"])
def test_at_no_moment_does_a_kill_or_a_lost_answer_make_anything_twice(tmp_path: Path, loses: bool) -> None:
    """The process dies at the n-th moment, for n = 1, 2, ... until it lives to its end."""
    with simulated("--tuning-seconds", "0") as base_url, Provider(base_url, None) as provider:
        for moment in range(1, 100):
            attempt, before = prepared(tmp_path, moment), counts(base_url)
            world = Mortal(provider, moment, loses)
            world.kept = attempt
            doing = {"keep": world.keep, "tell": lambda _line: None, "sleep": lambda _seconds: None}
            try:
                carry(attempt, world, tmp_path, **doing)
                died = False
            except (Killed, OutageError):
                died = True
                ended = carry(world.kept, provider, tmp_path, **doing)
                assert ended.status == "succeeded"
            assert counts(base_url) == (before[0] + 1, before[1] + 1), f"moment {moment}"
            if not died and moment > world.moments:
                break
        assert moment > 10
