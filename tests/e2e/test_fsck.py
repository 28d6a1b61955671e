"""`corpusmill fsck` as a user runs it, on a job with one flipped byte."""

import json
from pathlib import Path

from tests.e2e.running import command, lines, simulated, stats, write_spec

JOB = Path("data/jobs/job")


def flip(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    path.write_bytes(content)


def test_one_flipped_byte_is_found_named_and_mended_with_consent(tmp_path: Path) -> None:
    with simulated() as base_url:
        spec = write_spec(tmp_path, budget={"calls": 150}, shards={"records": 1000}, limits={"concurrency": 5})
        command("run", spec, "--quiet", folder=tmp_path, base_url=base_url)
        sound = command("fsck", "job", "--json", folder=tmp_path)
        assert sound.returncode == 0, sound.stderr
        assert json.loads(sound.stdout)["damages"] == []
        for commit in (tmp_path / JOB / "manifest").iterdir():
            commit.unlink()  # so that everything is in the journal only, as after a crash before the first commit
        flip(next(iter(sorted((tmp_path / JOB / "journal").iterdir()))), 0.5)
        found = command("fsck", "job", "--json", folder=tmp_path)
        assert found.returncode == 1
        health = json.loads(found.stdout)
        assert health["lost_lines"] > 0
        assert health["repay"]
        refused = command("run", spec, "--quiet", folder=tmp_path, base_url=base_url)
        assert refused.returncode == 1
        assert "fsck" in refused.stderr
        unpaid = command("fsck", "job", "--repair", folder=tmp_path)
        assert unpaid.returncode == 1
        assert "--repay" in unpaid.stderr
        mended = command("fsck", "job", "--repair", "--repay", folder=tmp_path)
        assert mended.returncode == 0, mended.stderr
        before = stats(base_url)["requests"]
        spec = write_spec(tmp_path, shards={"records": 1000})
        done = command("run", spec, "--json", "--quiet", folder=tmp_path, base_url=base_url)
        assert done.returncode == 0, done.stderr
        assert stats(base_url)["requests"] - before == 50 + len(health["repay"])
    ids = [line["id"].rsplit(":row", 1)[0] for place in ("corpus", "rejects") for line in lines(tmp_path, place)]
    assert sorted(ids) == sorted(f"job:{index}" for index in range(200))
    assert command("fsck", "job", folder=tmp_path).returncode == 0


def test_a_damaged_shard_is_made_again_without_a_call(tmp_path: Path) -> None:
    with simulated() as base_url:
        spec = write_spec(tmp_path)
        command("run", spec, "--quiet", folder=tmp_path, base_url=base_url)
        shard = sorted((tmp_path / JOB / "corpus").iterdir())[1]
        before = shard.read_bytes()
        flip(shard, 0.3)
        found = command("fsck", "job", folder=tmp_path)
        assert found.returncode == 1
        assert f"corpus/{shard.name}" in found.stdout
        assert command("fsck", "job", "--repair", folder=tmp_path).returncode == 0
        assert command("run", spec, "--quiet", folder=tmp_path, base_url=base_url).returncode == 0
        assert stats(base_url)["requests"] == 200
    assert shard.read_bytes() == before
    assert command("fsck", "job", folder=tmp_path).returncode == 0
