"""The settings of what lies around the router: where things are kept, what is added, who is told."""

from __future__ import annotations

from decimal import Decimal

from .kinds import Choice, FilePath, Flag, ListOf, Number, Refused, Text, Url
from .shape import Key, Table
from .values import LogSettings, SharedSettings, TelemetrySettings

_TOGETHER, _TOLD = SharedSettings(), TelemetrySettings()

STORE = Table(
    "Where everything is kept. A project's file may not say.",
    {
        "path": Key(FilePath(), None, "The database file.", '"~/llm/store.db"', unset="`config path` says"),
        "redis_url": Key(
            Refused("url in the section [shared]", "this key has another name"), None, "", '""', hidden=True
        ),
    },
)

SHARED = Table(
    "One set of caps for several machines, kept in a Redis server; docs/shared.md. A project's file may only give the "
    "`url` of a server on this machine, where you give none.",
    {
        "url": Key(
            Url(("redis", "rediss"), secret=True),
            None,
            "The server for budgets, rate limits, failing models and answers that several machines share.",
            '"redis://localhost:6379/0"',
            env="REDIS_URL",
            unset="nothing is shared",
        ),
        "namespace": Key(
            Text("a name of letters, digits, . _ : and -", r"[A-Za-z0-9._:-]{1,100}"),
            _TOGETHER.namespace,
            "Machines with the same one share; others on the same server do not.",
            '"team"',
        ),
        "when_away": Key(
            Choice(("refuse", "share")),
            _TOGETHER.when_away,
            "While the server cannot be reached: make no call under a day's or month's cap, or go on with a share of "
            "it that was set aside before.",
            '"share"',
        ),
        "share": Key(
            Number(Decimal("0.01"), 1),
            _TOGETHER.share,
            "With `share`: the part of what is left of each cap that is set aside for this machine. The others cannot "
            "spend it.",
            "0.5",
        ),
        "answers": Key(
            Flag(),
            _TOGETHER.answers,
            "Whether answers in the cache are shared too: whoever may read the server may read them.",
            "false",
        ),
    },
)

_A_PLUGIN = Text("a plugin's name, KIND:NAME, or its package")
PLUGINS = Table(
    "Which of the plugins that are installed are used; `doctor` lists them. docs/plugins.md. A project's file may "
    "not say.",
    {
        "enabled": Key(
            ListOf(_A_PLUGIN, "plugins", least=0),
            None,
            "Only these. A plugin is called by its name, by KIND:NAME, or by its package.",
            '["strategy:thrifty"]',
            unset="all that are installed",
        ),
        "disabled": Key(ListOf(_A_PLUGIN, "plugins"), None, "None of these.", '["thrifty"]'),
    },
)

TELEMETRY = Table(
    "OpenTelemetry: a span for each turn and each of its attempts, and measurements, sent to a collector over "
    "OTLP/HTTP. OTEL_* variables of the environment hold; docs/telemetry.md. A project's file may not say.",
    {
        "enabled": Key(Flag(), _TOLD.enabled, "Whether anything is sent.", "true"),
        "endpoint": Key(
            Url(),
            None,
            "The collector's address, without /v1/traces.",
            '"http://127.0.0.1:4318"',
            unset="as OTEL_EXPORTER_OTLP_ENDPOINT says, else http://localhost:4318",
        ),
        "content": Key(
            Flag(),
            _TOLD.content,
            "Send what is asked and answered too, so that whoever reads the collector reads your conversations; "
            "temporary chats are never sent.",
            "true",
        ),
    },
)

LOG = Table(
    "What the program did, without what anybody wrote: a file that can be shown to anybody.",
    {
        "level": Key(
            Choice(("off", "error", "warning", "info", "debug")),
            LogSettings().level,
            "What is written down: `warning` failures, `info` every decision and call, `debug` every candidate too.",
            '"info"',
        ),
    },
)
