"""The unit, the manifests and the compose file: of the form their readers want, and about the daemon that there is."""

import asyncio
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import kubernetes_validate
import msgspec
import pydantic
import pytest
import yaml
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from corpusmill.config import Config, load_config
from corpusmill.config.secrets import secret_of
from corpusmill.web.keys import Keyring, require_keys
from deploy.prometheus.operator import rendered as rendered_rules
from tests.deploy.dockerfile import stages
from tests.deploy.names import PROMETHEUS, ROOT, RULES
from tests.web.harness import SPEC, daemon

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
UNIT = DEPLOY / "systemd" / "corpusmill.service"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OPERATORS: dict[str, type[PodMonitor | PrometheusRule]] = {"PodMonitor": PodMonitor, "PrometheusRule": PrometheusRule}
"""What the Prometheus operator reads, by kind."""
CONFIGS = [DEPLOY / "corpusmill.toml", KUBERNETES / "corpusmill.toml"]
EXPOSURE_MOST = 1.2
"""Of `systemd-analyze security`, where 10 is a service that is not confined at all."""

FINAL = stages(ROOT / "Dockerfile")[-1]
PORT = int(FINAL.of("EXPOSE")[0].rest)
DATA = FINAL.of("VOLUME")[0].rest
UID = int(FINAL.of("USER")[0].rest.partition(":")[0])


def pins(path: Path) -> dict[str, frozenset[str]]:
    """Each requirement of a file with its hashes."""
    blocks = re.findall(r"^(\S+==\S+(?: ;[^\\\n]*)?)((?: \\\n +--hash=\S+)+)", path.read_text(), re.MULTILINE)
    return {pin.partition(" ")[0] + marker(pin): frozenset(hashes.split()[1::2]) for pin, hashes in blocks}


def marker(pin: str) -> str:
    """The condition on the Python version, where there are several of one package."""
    return "".join(re.findall(r"python_full_version [<>=]+ '[^']+'", pin))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-build.txt"])
def test_the_container_gets_the_versions_that_are_tested(name: str) -> None:
    tested, shipped = pins(ROOT / "constraints.txt"), pins(DEPLOY / name)
    assert len(shipped) >= 5
    assert {pin.partition("=")[0] for pin in shipped} <= {pin.partition("=")[0] for pin in tested}
    versions = {pin.split("python_full")[0] for pin in tested}
    assert {pin.split("python_full")[0] for pin in shipped} <= versions
    assert all(hashes for hashes in shipped.values())


def test_the_container_gets_all_that_the_program_needs_and_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    needed = {re.split(r"[^\w.-]", each)[0].replace(".", "-") for each in listed} - {"corpusmill-client"}
    assert needed <= {pin.partition("=")[0] for pin in pins(DEPLOY / "requirements.txt")}, "make pins"


# --- configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CONFIGS, ids=str)
def test_the_configuration_can_be_used_once_its_secrets_are_there(path: Path, tmp_path: Path) -> None:
    config = _with_secrets(path, tmp_path)
    require_keys("0.0.0.0", Keyring(config, {}))
    assert "default" in config.models
    assert config.keys["metrics"].scopes == ["read"]
    for endpoint in config.endpoints.values():
        assert secret_of("endpoint", endpoint.api_key_env, endpoint.api_key_file, {})


def test_both_configurations_differ_in_places_alone() -> None:
    one, other = (load_config(path) for path in CONFIGS)
    assert (one.models, set(one.keys), set(one.endpoints)) == (other.models, set(other.keys), set(other.endpoints))


def test_the_key_of_prometheus_opens_the_metrics_and_submits_nothing(tmp_path: Path) -> None:
    config = msgspec.structs.replace(_with_secrets(CONFIGS[0], tmp_path), endpoints={}, models={})
    key = Path(config.keys["metrics"].key_file or "").read_text().strip()

    async def asked() -> list[int]:
        async with daemon(tmp_path / "data", config=config) as client:
            bearer = {"Authorization": f"Bearer {key}"}
            answers = [
                await client.ask("GET", "/metrics"),
                await client.ask("GET", "/metrics", headers=bearer),
                await client.post("/jobs", json=SPEC, headers=bearer),
            ]
            return [answer.status for answer in answers]

    assert asyncio.run(asked()) == [401, 200, 403]


def _with_secrets(path: Path, folder: Path) -> Config:
    """Load a configuration as if the secrets that it names were mounted."""
    text = path.read_text()
    for name in set(re.findall(r'_file = "(/run/secrets/[^"]+)"', text)):
        (folder / Path(name).name).write_text(f"{Path(name).name}-0123456789abcdef\n")
        text = text.replace(name, str(folder / Path(name).name))
    (folder / "corpusmill.toml").write_text(text)
    return load_config(folder / "corpusmill.toml")


def _patience_seconds(path: Path) -> int:
    """How long the daemon takes at most to end."""
    server = load_config(path).server
    return server.announce_seconds + server.grace_seconds


# --- systemd ----------------------------------------------------------------------------------------------------------

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="apt-get install systemd")


def unit() -> dict[str, list[str]]:
    """The settings of the unit."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@needs_systemd
def test_systemd_reads_the_unit_without_a_remark(tmp_path: Path) -> None:
    """The program is put where one is, for systemd looks whether it is there."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/corpusmill/bin/corpusmill", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", copy], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []
    assert done.returncode == 0, done.stderr


@needs_systemd
def test_the_service_is_confined() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposure is not None, done.stderr
    assert float(exposure.group(1)) <= EXPOSURE_MOST


def test_the_service_sees_what_its_metrics_are_read_from() -> None:
    """ProcSubset=pid takes /proc/stat away, and with it every process_* metric."""
    assert "ProcSubset" not in unit()
    with_stat, without = CollectorRegistry(), CollectorRegistry()
    ProcessCollector(registry=with_stat)
    ProcessCollector(proc="/nowhere", registry=without)
    assert b"process_open_fds" in generate_latest(with_stat)
    assert generate_latest(without) == b"", "if this changes, ProcSubset=pid is free"


def test_systemd_waits_longer_than_the_daemon_and_brings_the_keys_that_are_configured() -> None:
    settings = unit()
    assert int(settings["TimeoutStopSec"][0]) > _patience_seconds(CONFIGS[0])
    brought = {value.partition(":")[0] for value in settings["LoadCredential"]}
    assert brought == _secrets(CONFIGS[0])
    assert settings["Type"] == ["notify"]
    assert settings["DynamicUser"] == ["yes"]


def _secrets(path: Path) -> set[str]:
    return {Path(name).name for name in re.findall(r'_file = "([^"]+)"', path.read_text())}


# --- Kubernetes -------------------------------------------------------------------------------------------------------


def manifest(name: str) -> Any:
    """One of the files."""
    return yaml.safe_load((KUBERNETES / f"{name}.yaml").read_text())


@pytest.mark.parametrize("name", ["namespace", "service", "statefulset", "networkpolicy"])
def test_kubernetes_takes_each_manifest(name: str) -> None:
    kubernetes_validate.validate(manifest(name), "1.37", strict=True)


@pytest.mark.parametrize(("name", "kind"), [("podmonitor", PodMonitor), ("prometheusrule", PrometheusRule)])
def test_the_prometheus_operator_takes_each_manifest(name: str, kind: type[PodMonitor | PrometheusRule]) -> None:
    """By the types made from its CRDs: values are checked as they are read, and what it has no name for is lost."""
    content = manifest(name)
    assert taken(kind, content) == content


def test_a_manifest_that_the_prometheus_operator_does_not_know_would_be_found() -> None:
    content = manifest("prometheusrule")
    rule = content["spec"]["groups"][0]["rules"][0]
    rule["sevrity"] = "critical"
    assert taken(PrometheusRule, content) != content
    rule["for"] = "two minutes"
    with pytest.raises(pydantic.ValidationError):
        taken(PrometheusRule, content)


def taken(kind: type[PodMonitor | PrometheusRule], content: Any) -> Any:
    """What is left of a manifest when the operator's types have read it."""
    return kind.model_validate(content).model_dump(mode="json", by_alias=True, exclude_unset=True)


def test_the_rules_for_the_operator_are_those_that_are_tested() -> None:
    path = KUBERNETES / "prometheusrule.yaml"
    assert path.read_text() == rendered_rules(), "run: python -m deploy.prometheus.operator"
    groups = [group for rules in RULES for group in yaml.safe_load(rules.read_text())["groups"]]
    assert manifest("prometheusrule")["spec"]["groups"] == groups
    assert len(groups) == len(RULES) == 2


def test_what_the_pod_monitor_scrapes_is_called_as_the_alerts_ask_for_it() -> None:
    label = manifest("podmonitor")["spec"]["jobLabel"]
    (pairs,) = (each["pairs"] for each in manifest("kustomization")["labels"])
    asked = set(re.findall(r'up{job="([^"]+)"', (PROMETHEUS / "rules" / "alerts.yml").read_text()))
    assert {pairs[label]} == asked


def test_the_base_names_every_file_of_its_folder() -> None:
    base = manifest("kustomization")
    named = {*base["resources"], *(name for each in base["configMapGenerator"] for name in each["files"])}
    assert named | {"kustomization.yaml"} == {path.name for path in KUBERNETES.iterdir()}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not there")
def test_what_kustomize_makes_of_the_base_is_taken_and_selects_its_own_pod() -> None:
    rendered = subprocess.run(["kubectl", "kustomize", KUBERNETES], capture_output=True, text=True, check=True).stdout
    objects = {each["kind"]: each for each in yaml.safe_load_all(rendered)}
    for kind, each in objects.items():
        if kind in OPERATORS:
            assert taken(OPERATORS[kind], each) == each
        else:
            kubernetes_validate.validate(each, "1.37", strict=True)
    labels = objects["StatefulSet"]["spec"]["template"]["metadata"]["labels"].items()
    spec = {kind: each.get("spec") for kind, each in objects.items()}
    assert spec["Service"]["selector"].items() <= labels
    for kind, key in (("StatefulSet", "selector"), ("PodMonitor", "selector"), ("NetworkPolicy", "podSelector")):
        assert spec[kind][key]["matchLabels"].items() <= labels
    volumes = spec["StatefulSet"]["template"]["spec"]["volumes"]
    named = next(volume["configMap"]["name"] for volume in volumes if "configMap" in volume)
    assert named == objects["ConfigMap"]["metadata"]["name"]
    assert named != "corpusmill", "another configuration is another name, so that the pod begins anew"


def test_the_pod_fits_the_image() -> None:
    pod = manifest("statefulset")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsUser"] == UID
    assert {port["containerPort"] for port in container["ports"]} == {PORT}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["terminationGracePeriodSeconds"] > _patience_seconds(CONFIGS[1])
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts["data"] == DATA
    assert FINAL.of("CMD")[0].argv[2] == f"{mounts['config']}/corpusmill.toml"
    named = re.findall(r'_file = "([^"]+)"', CONFIGS[1].read_text())
    assert {str(Path(name).parent) for name in named} == {mounts["secrets"]}
    probes = {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness")}
    assert probes == {"/livez"}
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_prometheus_shows_the_key_that_may_read() -> None:
    (endpoint,) = manifest("podmonitor")["spec"]["podMetricsEndpoints"]
    key = load_config(CONFIGS[1]).keys["metrics"]
    assert key.key_file is not None
    assert endpoint["authorization"]["credentials"]["key"] == Path(key.key_file).name


# --- compose ----------------------------------------------------------------------------------------------------------


def test_the_compose_file_is_of_the_form_that_is_specified() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, DEPLOY / "compose.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_image_is_of_one_release() -> None:
    version = re.search(r'version = "(.+)"', (ROOT / "pyproject.toml").read_text())
    tags = {name: service["image"].rpartition(":")[2] for name, service in COMPOSE["services"].items()}
    assert all(re.fullmatch(r"v?\d+\.\d+\.\d+", tag) for tag in tags.values())
    assert version is not None
    assert {tags["corpusmill"], manifest("kustomization")["images"][0]["newTag"]} == {version.group(1)}


def test_what_the_compose_file_mounts_is_there_and_secrets_are_not_in_the_checkout() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "/deploy/secrets/" in ignored
    assert all(secret["file"].startswith("./secrets/") for secret in COMPOSE["secrets"].values())
    for service in COMPOSE["services"].values():
        assert set(service["secrets"]) <= set(COMPOSE["secrets"])
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_compose_opens_ports_to_this_machine_alone_and_confines_the_daemon() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service["ports"]]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    daemon = COMPOSE["services"]["corpusmill"]
    assert f"127.0.0.1:{PORT}:{PORT}" in daemon["ports"]
    assert (daemon["read_only"], daemon["cap_drop"]) == (True, ["ALL"])
    assert int(daemon["stop_grace_period"].rstrip("s")) > _patience_seconds(CONFIGS[0])
    assert set(daemon["secrets"]) == _secrets(CONFIGS[0])
    assert f"data:{DATA}" in daemon["volumes"]


def test_prometheus_and_grafana_find_each_other_and_their_files() -> None:
    scraping = yaml.safe_load((DEPLOY / "compose" / "prometheus.yml").read_text())
    (job,) = scraping["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"corpusmill:{PORT}"]}]
    plain = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    del job["authorization"]
    assert scraping == plain
    provisioning = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "corpusmill.yml").read_text())["providers"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in COMPOSE["services"]["grafana"]["volumes"]
