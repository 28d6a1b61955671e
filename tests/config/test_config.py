from pathlib import Path

import pytest

from corpusmill.config import Config, ConfigError, KeyConfig, load_config, overridden
from corpusmill.config.secrets import secret_of, variable_or_file

WHOLE = """
data = "/var/lib/corpusmill"

[server]
host = "0.0.0.0"
port = 9000
max_running = 2
retention_days = 30

[endpoints.local]
base_url = "http://localhost:8000/v1"

[models.default]
endpoint = "local"
name = "m"
prices = {input = 0.15, output = 1}

[keys.alice]
key_env = "ALICE"
scopes = ["submit", "read"]
spend_usd = 12.50

[webhooks.ops]
url = "https://example.org/hook"
secret_env = "HOOK"
states = ["finished", "failed"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "corpusmill.toml"
    path.write_text(text)
    return path


def test_a_whole_configuration_is_read(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, WHOLE))
    assert (config.data, config.server.port, config.server.max_running) == ("/var/lib/corpusmill", 9000, 2)
    assert str(config.keys["alice"].spend_usd) == "12.50"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[server]\nprot = 1", "server.prot: unknown key; did you mean `port`?"),
        ("[server]\nport = 70000", "server.port: expected at most 65,535, got"),
        ("[keys.a]", "keys.a: expected one of key_env, key_file and sha256"),
        ("[keys.a]\nsha256 = 'abc'", "keys.a.sha256: expected 64 hexadecimal digits"),
        ("[keys.a]\nkey_env='A'\nscopes=['write']", "keys.a.scopes[0]: expected one of"),
        ("[keys.a]\nkey_env='A'\nspend_usd=-1", "keys.a.spend_usd: expected 0 to 1,000,000 dollars, was -1"),
        ("[keys.A]\nkey_env='A'", "keys.A: as a name, expected lower-case letters"),
        ("[roots]\nplaces='/nowhere/at/all'", "roots.places: /nowhere/at/all is no folder"),
        ("[webhooks.a]\nurl='file:///etc/passwd'\nsecret_env='S'", "webhooks.a.url: expected an http"),
        ("[webhooks.a]\nurl='http://x'", "webhooks.a: expected one of secret_env and secret_file"),
        ("[endpoints.x]\nbase_url='localhost:8000/v1'", "endpoints.x.base_url: the base URL must be an http:// or"),
        ("[models.a]\nendpoint='x'\nname='y'", "models.a.endpoint: no endpoint 'x'; there are: none"),
        (
            "[endpoints.x]\nbase_url='http://x'\n[models.a]\nendpoint='x'\nname='y'\nprices={input=true,output=1}",
            "models.a.prices.input: expected a number, got",
        ),
    ],
)
def test_a_mistake_is_told_with_the_file_and_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    assert str(refused.value).startswith(f"{path}: {told}")


def test_options_come_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, WHOLE))
    environ = {"CORPUSMILL_PORT": "9001", "CORPUSMILL_MAX_RUNNING": "7", "CORPUSMILL_DATA": "/elsewhere"}
    merged = overridden(config, environ, {"port": 9002, "host": None, "data": None})
    assert (merged.server.port, merged.server.max_running, merged.server.host) == (9002, 7, "0.0.0.0")
    assert merged.data == "/elsewhere"
    assert overridden(Config(), {}, {}) == Config()


def test_a_variable_that_does_not_fit_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^CORPUSMILL_PORT: "):
        overridden(Config(), {"CORPUSMILL_PORT": "many"}, {})


def test_secrets_come_from_files_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1\n")
    (tmp_path / "empty").write_text("\n")
    file = secret_of("keys.a.key", None, str(tmp_path / "key"), {})
    variable = secret_of("keys.a.key", "A", None, {"A": "sk-2"})
    assert file is not None
    assert variable is not None
    assert (file.reveal(), variable.reveal(), str(file)) == ("sk-1", "sk-2", "***")
    with pytest.raises(ConfigError, match=r"^keys.a.key_env: the variable A is not set"):
        secret_of("keys.a.key", "A", None, {})
    with pytest.raises(ConfigError, match=r"^keys.a.key_file: .* is empty"):
        secret_of("keys.a.key", None, str(tmp_path / "empty"), {})
    from_file = variable_or_file("OPENAI_API_KEY", {"OPENAI_API_KEY_FILE": str(tmp_path / "key")})
    assert from_file is not None
    assert from_file.reveal() == "sk-1"
    assert variable_or_file("OPENAI_API_KEY", {}) is None


def test_a_key_may_submit_and_read_unless_told_otherwise() -> None:
    assert KeyConfig(key_env="A").scopes == ["submit", "read"]
