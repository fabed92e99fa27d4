"""Where the caps of several machines are counted, and who may say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tui_orchestrator.settings import Settings, SettingsError
from tui_orchestrator.settings.values import SharedSettings

Load = Callable[..., Settings]
TEAM = "redis://:hunter2-hunter2@team.example.org:6379/0"


def url(settings: Settings) -> str | None:
    return None if settings.shared.url is None else settings.shared.url.reveal()


def test_every_key_arrives(loaded: Load) -> None:
    own = f'[shared]\nurl = "{TEAM}"\nnamespace = "team"\nwhen_away = "share"\nshare = 0.5\nanswers = false\n'
    settings = loaded(own)
    assert settings.shared == SharedSettings(settings.shared.url, "team", "share", 0.5, False)
    assert url(settings) == TEAM
    assert settings.notices == ()
    assert "hunter2" not in repr(settings)


def test_the_environment_goes_before_the_file(loaded: Load) -> None:
    assert url(loaded(f'[shared]\nurl = "{TEAM}"\n', env={"REDIS_URL": "rediss://other:6380"})) == "rediss://other:6380"


def test_a_project_may_name_a_server_on_this_machine_where_the_user_names_none(loaded: Load) -> None:
    local = "redis://localhost:6379"
    assert url(loaded(dotenv=f"REDIS_URL={local}\n")) == local
    settings = loaded(f'[shared]\nurl = "{TEAM}"\n', dotenv=f"REDIS_URL={local}\n")
    assert url(settings) == TEAM, "a cap is not left by changing the directory"
    assert ["shared.url is not used" in notice for notice in settings.notices] == [True]


def test_a_project_may_not_say_where_the_users_caps_are_kept(loaded: Load, home: Path) -> None:
    for own, dotenv in ((f'[shared]\nurl = "{TEAM}"\n', ""), ("", f"REDIS_URL={TEAM}\n")):
        settings = loaded(own=own, dotenv=dotenv)
        assert url(settings) is None
        (notice,) = settings.notices
        assert f"put it into {home / 'config' / 'config.toml'}" in notice
        assert "hunter2" not in notice
    settings = loaded('[shared]\nwhen_away = "refuse"\n', own='[shared]\nwhen_away = "share"\nnamespace = "theirs"\n')
    assert settings.shared == SharedSettings()
    assert len(settings.notices) == 2


def test_the_key_it_once_had_is_told_its_new_name(loaded: Load) -> None:
    with pytest.raises(
        SettingsError, match=r"store.redis_url: this key has another name; give url in the section"
    ) as no:
        loaded(f'[store]\nredis_url = "{TEAM}"\n')
    assert "hunter2" not in str(no.value)
