"""What `doctor` looks at: each thing with how it stands, and each problem with its remedy."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .. import __version__
from ..locations import config_file, log_file
from ..plugins import Plugin, State
from ..providers.embedding import INSTALL
from ..routing.clock import NAME_A_ZONE, unknown_zone
from ..routing.text import clean_line
from ..settings import ProviderSettings, Settings, hidden
from ..shared.faults import Away
from ..storage.database import Database
from ..storage.faults import StoreError, damaged, look_for_room
from ..storage.soundness import look_through
from . import crashes, telemetry
from .assembly import store_path
from .places import embedding_problem, theme_problem
from .rate_limits import defaults_in_words
from .runtime import Runtime

PACKAGES = ("textual", "anthropic", "openai", "google-genai", "httpx2", "genai-prices")


class Standing(StrEnum):
    GOOD = "good"
    NOTE = "note"
    """Worth knowing; nothing is broken."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    area: str
    standing: Standing
    what: str
    remedy: str = ""


async def check(
    settings: Settings, runtime: Runtime, config: Path | None = None, fault: StoreError | None = None
) -> list[Finding]:
    """Reads lists and files; bills nothing. The runtime has looked around already; it may be one without a store, which
    `fault` kept from being used."""
    findings = [_versions(), *_configuration(settings, config, runtime)]
    if said := unknown_zone():
        findings.append(Finding("program", Standing.PROBLEM, said, NAME_A_ZONE))
    findings += [_provider(runtime, provider) for provider in runtime.catalogue.providers.values()]
    findings += _models(runtime)
    findings.append(await _store(runtime, settings, fault))
    findings += await _shared(runtime)
    findings.append(_telemetry(settings))
    findings += [_plugin(one) for one in runtime.plugins.every]
    findings += await asyncio.to_thread(_diagnostics, settings)
    return findings


def _diagnostics(settings: Settings) -> list[Finding]:
    level = settings.log.level
    kept = "nothing is logged" if level == "off" else f"{level} and worse is logged in {log_file()}"
    findings = [Finding("log", Standing.GOOD, kept)]
    if reports := crashes.written():
        said = f"{len(reports)} crash report{'s' if len(reports) > 1 else ''}; the newest is {reports[0]}"
        remedy = "send it to whoever maintains this program; it holds no text of yours and no key; then delete it"
        findings.append(Finding("crashes", Standing.NOTE, said, remedy))
    return findings


def _versions() -> Finding:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("program", Standing.GOOD, f"{__version__} on Python {python}, {versions}")


def _configuration(settings: Settings, config: Path | None, runtime: Runtime) -> Iterable[Finding]:
    path = config or config_file()
    if path.exists():
        yield Finding("configuration", Standing.GOOD, f"{path} is valid")
        if os.name == "posix" and path.stat().st_mode & 0o022:
            remedy = f"chmod go-w {path}"
            yield Finding("configuration", Standing.PROBLEM, f"others may write {path}", remedy)
    else:
        yield Finding("configuration", Standing.GOOD, f"there is no {path}; the defaults are in effect")
    if said := theme_problem(settings):
        yield Finding("configuration", Standing.PROBLEM, said, "/theme in the console lists those there are")
    if said := embedding_problem(settings):
        yield Finding("cache", Standing.PROBLEM, said.removesuffix(f"; {INSTALL}"), INSTALL)
    of_keys = {hidden(f"{one.name}: {one.key_problem}") for one in runtime.catalogue.providers.values() if one.enabled}
    for notice in settings.notices:
        if notice not in of_keys:  # told with its provider
            yield Finding("configuration", Standing.NOTE, notice)
    budgets = settings.budgets
    if budgets.daily is None and budgets.monthly is None:
        remedy = "set budgets.daily_usd or budgets.monthly_usd"
        yield Finding("budgets", Standing.NOTE, "no daily or monthly cap is set", remedy)
    else:
        caps = f"daily {budgets.daily or 'none'}, monthly {budgets.monthly or 'none'}"
        yield Finding("budgets", Standing.GOOD, caps)


def _provider(runtime: Runtime, provider: ProviderSettings) -> Finding:
    area = f"provider {provider.name}"
    if not provider.enabled:
        return Finding(area, Standing.NOTE, "switched off in the configuration")
    if provider.key_problem:
        return Finding(area, Standing.PROBLEM, provider.key_problem, "mend how its key is found")
    if not provider.usable:
        names = " or ".join(provider.key_names) or "its key"
        return Finding(area, Standing.NOTE, "no key", f"set {names} to use it")
    key = f"key from {provider.key_origin}; " if provider.key_origin else ""
    report = runtime.catalogue.reports.get(provider.name)
    if report is None:
        return Finding(area, Standing.NOTE, f"{key}not asked")
    if report.authorised is False:
        return Finding(area, Standing.PROBLEM, f"{key}{report.detail}", f"check {provider.key_origin or 'the key'}")
    if report.reachable is False:
        remedy = "check that it runs and that base_url is right" if provider.base_url else "check the network"
        return Finding(area, Standing.PROBLEM, f"{key}{report.detail}", remedy)
    offered = f"{key}{_counted(report.models)} for chat; {report.detail} ({report.seconds:.1f} s)"
    if report.unread:
        remedy = f"check its {'base_url' if provider.base_url else 'key'}, or name its models in [[models]]"
        goes = report.models and not report.unwell
        return Finding(area, Standing.NOTE if goes else Standing.PROBLEM, offered, remedy)
    if not report.models:
        return Finding(area, Standing.NOTE, offered, "load a model there, or name one in [[models]]")
    return Finding(area, Standing.GOOD, offered)


def _telemetry(settings: Settings) -> Finding:
    if not settings.telemetry.enabled:
        return Finding("telemetry", Standing.GOOD, "off: nothing is sent")
    if telemetry.missing():
        return Finding("telemetry", Standing.PROBLEM, "on, and OpenTelemetry is not installed", telemetry.INSTALL)
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return Finding("telemetry", Standing.NOTE, "on, and OTEL_SDK_DISABLED is true: nothing is sent")
    what = "what is asked and answered is sent too" if settings.telemetry.content else "nothing that is said is sent"
    where = telemetry.address(settings.telemetry)
    standing = Standing.NOTE if settings.telemetry.content else Standing.GOOD
    return Finding("telemetry", standing, f"on: turns are told to {where}; {what}")


def _plugin(one: Plugin) -> Finding:
    area = f"plugin {clean_line(one.name, 40)}"
    if one.state is State.BROKEN:
        remedy = "update or remove its package, or name it in plugins.disabled"
        return Finding(area, Standing.PROBLEM, one.problem, remedy)
    standing = Standing.GOOD if one.state is State.ON else Standing.NOTE
    return Finding(area, standing, f"{one.kind} of {one.source}, {one.state}")


def _counted(models: int) -> str:
    return f"{models} model{'' if models == 1 else 's'}"


def _models(runtime: Runtime) -> Iterable[Finding]:
    usable = [model for model in runtime.registry if runtime.health(model.id).out is None]
    if not usable:
        remedy = "set a provider's key, start a local model server, or run `tui-orchestrator demo`"
        yield Finding("models", Standing.PROBLEM, "no model can be used", remedy)
        return
    if defaults := defaults_in_words(runtime, usable):
        remedy = "where your account allows more, set requests_per_minute of the provider or of the model"
        yield Finding("rate limits", Standing.NOTE, defaults, remedy)
    unpriced = [model.id for model in usable if model.price is None]
    yield Finding(
        "models", Standing.GOOD, f"{len(usable)} can be used, {len(usable) - len(unpriced)} with a known price"
    )
    if unpriced:
        shown = ", ".join(unpriced[:5]) + (f" and {len(unpriced) - 5} more" if len(unpriced) > 5 else "")
        remedy = "give prices in [[models]]; under a cap they are not used"
        yield Finding("models", Standing.NOTE, f"no price is known of {shown}", remedy)


_LOCKED_S = 5.0
"""What is asked to look is not kept as long as what has something to write."""


async def _store(runtime: Runtime, settings: Settings, fault: StoreError | None) -> Finding:
    path = runtime.database.path or store_path(settings, runtime.demo)
    try:
        async with Database(path, busy_timeout_s=_LOCKED_S) as database:
            await database.write(lambda connection: connection.execute("SELECT 1"))
            await asyncio.to_thread(look_for_room, path)
            look = await asyncio.to_thread(look_through, path)
        size = await asyncio.to_thread(lambda: path.stat().st_size)
        if look.damage:
            fault = damaged(path, look.damage)
    except StoreError as error:
        fault = error
    if fault is not None:
        return Finding("store", Standing.PROBLEM, f"{fault.path} {fault.what}", fault.remedy)
    partly = "" if look.whole else "; only the beginning of each table was looked at for damage"
    return Finding("store", Standing.GOOD, f"{path} can be written, {size / 1000:,.0f} kB{partly}")


async def _shared(runtime: Runtime) -> list[Finding]:
    """Of the server that several machines keep their caps in."""
    shared = runtime.shared
    if shared is None:
        return []
    if shared.away is not None:
        return [
            Finding("shared", Standing.PROBLEM, f"Redis at {shared.away.where} {shared.away.what}", shared.away.remedy)
        ]
    try:
        facts = await shared.server.facts()
    except Away as away:
        return [Finding("shared", Standing.PROBLEM, f"Redis at {away.where} {away.what}", away.remedy)]
    running = f"{shared.member.running} {'copy' if shared.member.running == 1 else 'copies'} running"
    what = (
        f"Redis {facts.get('redis_version', '')} at {shared.server.where} answers in "
        f"{shared.server.latency_ms:.1f} ms; namespace {shared.namespace}, {running}; "
        f"while it is away: {shared.settings.when_away}"
    )
    findings = [Finding("shared", Standing.GOOD, what)]
    policy = facts.get("maxmemory_policy", "noeviction")
    if policy.startswith("allkeys"):
        said = f"Redis throws keys away when it is full (maxmemory-policy {policy}), what was spent among them"
        findings.append(Finding("shared", Standing.PROBLEM, said, "set maxmemory-policy noeviction or volatile-lru"))
    if facts.get("aof_enabled") == "0":
        said = "if Redis loses its data, the others do not know what a machine that then does not run had spent last"
        findings.append(Finding("shared", Standing.NOTE, said, "set appendonly yes"))
    return findings
