"""/files and /fine_tuning/jobs, as the official client sees them."""

import asyncio

import msgspec
import openai
import pytest

from corpusmill.simulate import SimulateOptions
from corpusmill.simulate.files import Files
from corpusmill.simulate.tuning import Tuning
from tests.simulate.harness import sdk

INSTANT = SimulateOptions(tuning_seconds=0.0)


def chats(count: int) -> bytes:
    """A sound training file."""
    exchange = [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "It is that."}]
    return b"".join(msgspec.json.encode({"messages": exchange}) + b"\n" for _ in range(count))


def test_a_file_can_be_uploaded_listed_read_and_deleted() -> None:
    async def scene() -> None:
        async with sdk() as client:
            made = await client.files.create(file=("train.jsonl", chats(3)), purpose="fine-tune")
            assert (made.filename, made.bytes, made.status) == ("train.jsonl", len(chats(3)), "processed")
            other = await client.files.create(file=("b.jsonl", b"{}"), purpose="batch")
            listed = [file.id async for file in client.files.list(limit=1)]
            assert listed == [other.id, made.id]
            assert [file.id async for file in client.files.list(purpose="batch")] == [other.id]
            assert (await client.files.content(made.id)).read() == chats(3)
            assert (await client.files.delete(made.id)).deleted
            with pytest.raises(openai.NotFoundError):
                await client.files.retrieve(made.id)

    asyncio.run(scene())


@pytest.mark.parametrize(("purpose", "content"), [("amusement", b"{}"), ("fine-tune", b"")])
def test_a_file_without_purpose_or_content_is_refused(purpose: str, content: bytes) -> None:
    async def scene() -> None:
        async with sdk() as client:
            with pytest.raises(openai.BadRequestError):
                await client.files.create(file=("a.jsonl", content), purpose=purpose)  # type: ignore[arg-type] # on purpose

    asyncio.run(scene())


def test_a_job_goes_through_its_states() -> None:
    files = Files()
    file = files.add("train.jsonl", "fine-tune", chats(12), 0)
    tuning = Tuning(files, seconds=10.0)
    job = tuning.create(msgspec.json.encode({"model": "simulated", "training_file": file.id}), 100.0, 0)
    seen = [tuning.get(job["id"], 100.0 + second)["status"] for second in range(12)]
    assert seen == ["validating_files"] * 2 + ["queued"] + ["running"] * 7 + ["succeeded"] * 2


def test_a_job_makes_a_model_that_answers() -> None:
    async def scene() -> None:
        async with sdk(SimulateOptions(tuning_seconds=0.3)) as client:
            file = await client.files.create(file=("train.jsonl", chats(12)), purpose="fine-tune")
            job = await client.fine_tuning.jobs.create(
                model="simulated", training_file=file.id, suffix="notes", hyperparameters={"n_epochs": 2}
            )
            seen: list[str] = [job.status]
            while seen[-1] != "succeeded":
                job = await client.fine_tuning.jobs.retrieve(job.id)
                seen.append(job.status)
            assert seen[0] == "validating_files"
            model = job.fine_tuned_model or ""
            assert model.startswith("ft:simulated:corpusmill:notes:")
            assert job.trained_tokens == 12 * 2 * (3 + 3)
            assert model in [each.id async for each in client.models.list()]
            answer = await client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "A plot."}]
            )
            assert answer.choices[0].message.content
            told = [event.message async for event in client.fine_tuning.jobs.list_events(job.id, limit=3)]
            assert told[0] == "The job has successfully completed"
            assert told[-1] == f"Created fine-tuning job: {job.id}"
            assert [each.id async for each in client.fine_tuning.jobs.list()] == [job.id]
            with pytest.raises(openai.BadRequestError, match="already completed"):
                await client.fine_tuning.jobs.cancel(job.id)

    asyncio.run(scene())


def test_a_job_can_be_cancelled_and_makes_no_model() -> None:
    async def scene() -> None:
        async with sdk(SimulateOptions(tuning_seconds=60)) as client:
            file = await client.files.create(file=("train.jsonl", chats(12)), purpose="fine-tune")
            job = await client.fine_tuning.jobs.create(model="simulated", training_file=file.id)
            assert (await client.fine_tuning.jobs.cancel(job.id)).status == "cancelled"
            assert (await client.fine_tuning.jobs.retrieve(job.id)).fine_tuned_model is None

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (chats(9), "at least 10"),
        (chats(10) + b"not json\n", "Line 11"),
        (chats(10) + b'{"messages": [{"role": "user", "content": "Hm?"}]}\n', "Line 11: the last message"),
        (chats(10) + b'{"text": "Hm"}\n', "Line 11: the example has not the keys"),
    ],
)
def test_a_file_that_cannot_be_trained_on_fails_its_job_and_says_where(content: bytes, fault: str) -> None:
    async def scene() -> None:
        async with sdk(INSTANT) as client:
            file = await client.files.create(file=("train.jsonl", content), purpose="fine-tune")
            made = await client.fine_tuning.jobs.create(model="simulated", training_file=file.id)
            job = await client.fine_tuning.jobs.retrieve(made.id)
            assert job.status == "failed"
            assert job.error is not None
            assert job.error.code == "invalid_training_file"
            assert fault in job.error.message

    asyncio.run(scene())


def test_a_job_on_no_file_is_refused() -> None:
    async def scene() -> None:
        async with sdk() as client:
            with pytest.raises(openai.BadRequestError, match="training_file"):
                await client.fine_tuning.jobs.create(model="simulated", training_file="file-none")

    asyncio.run(scene())
