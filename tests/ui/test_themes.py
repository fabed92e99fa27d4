"""Palettes: the shipped ones can be read by people, broken ones by nobody, and saved ones at once."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.style import Style
from textual.app import App
from textual.color import Color

from tests.ui.conftest import Console, console, settle
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.locations import themes_dir
from tui_orchestrator.services.places import theme_names
from tui_orchestrator.settings import UiSettings
from tui_orchestrator.ui import themes
from tui_orchestrator.ui.look import Look

SHIPPED = Path(__file__).parents[2] / "themes"
PALETTES = themes.load([SHIPPED]).palettes
OWN_COLORS = [palette for palette in PALETTES if not palette.ansi]
DARK_AND_LIGHT = [[palette.dark for palette in OWN_COLORS].index(dark) for dark in (True, False)]
TERMINALS = next(palette for palette in PALETTES if palette.ansi)

GOOD = (SHIPPED / "dusk.toml").read_text()


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance."""

    def luminance(text: str) -> float:
        parts = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in Color.parse(text).normalized
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def texts_and_grounds(palette: themes.Palette) -> list[tuple[str, str, str]]:
    colors, roles, code = palette.colors, palette.roles, palette.code
    inks = {key: colors[key] for key in themes.COLORS if key not in ("background", "surface", "panel", "border")}
    inks["money"] = roles["money"]
    grounds = {key: colors[key] for key in ("background", "surface", "panel")} | {"marked": roles["marked"]}
    pairs = [(f"{ink} on {ground}", color, under) for ink, color in inks.items() for ground, under in grounds.items()]
    pairs += [(f"ink on {ground}", colors["background"], colors[ground]) for ground in ("primary", "accent")]
    pairs += [(f"{key} on user", colors[key], roles["user-background"]) for key in ("text", "muted", "accent")]
    pairs += [(key, roles[key], colors["background"]) for key in ("user-bar", "thinking", "discarded")]
    pairs += [(f"code {key}", color, code["background"]) for key, color in code.items() if key != "background"]
    pairs += [("text on selection", colors["text"], roles["selection"])]
    pairs += [("text on code", colors["text"], code["background"])]
    return pairs


def test_shipped_palettes_are_whole_and_of_every_kind() -> None:
    loaded = themes.load([SHIPPED])
    assert loaded.problems == ()
    by_name = {palette.name: palette for palette in loaded.palettes}
    assert themes.DEFAULT in by_name
    assert sum(palette.dark for palette in loaded.palettes) >= 2
    assert any(not palette.dark for palette in loaded.palettes)
    assert len(by_name) >= 6
    assert {"contrast", "okabe-ito"} <= by_name.keys()
    assert all(path.stem in by_name for path in SHIPPED.glob("*.toml"))


@pytest.mark.parametrize("palette", OWN_COLORS, ids=lambda palette: palette.name)
def test_every_text_of_a_shipped_palette_meets_wcag_aa(palette: themes.Palette) -> None:
    least = 7.0 if palette.name == "contrast" else 4.5
    weak = [
        f"{what}: {contrast(text, ground):.2f}"
        for what, text, ground in texts_and_grounds(palette)
        if contrast(text, ground) < least
    ]
    assert weak == []


@pytest.mark.cells(*DARK_AND_LIGHT)
@pytest.mark.parametrize("palette", OWN_COLORS, ids=lambda palette: palette.name)
async def test_what_an_empty_field_says_is_drawn_in_aa(tmp_path: Path, palette: themes.Palette) -> None:
    async with console(tmp_path, size=(120, 34), ui=UiSettings(theme=palette.name)) as seat:

        def seen(words: str) -> float:
            for strip in seat.app.screen._compositor.render_strips():
                for one in strip:
                    if words in one.text and one.style and one.style.color and one.style.bgcolor:
                        return contrast(one.style.color.name, one.style.bgcolor.name)
            raise AssertionError(words)

        await seat.sees("sk anything")
        told = {"the prompt": seen("sk anything")}
        await seat.pilot.press("ctrl+t")
        await seat.sees("ype to narrow the list")
        told["a list"] = seen("ype to narrow the list")
        await seat.pilot.press("escape", "f5")
        await seat.sees("filter: words of name")
        told["a pane"] = seen("filter: words of name")
        await seat.pilot.press("slash")
        await seat.sees("ilter: words of name")
        told["a pane, with the focus"] = seen("ilter: words of name")
        assert {what: round(found, 2) for what, found in told.items() if found < 4.5} == {}


DIALOGS = {
    "the palette": ("ctrl+p",),
    "the strategies": ("ctrl+s",),
    "the models": ("ctrl+t",),
    "the themes": ("f9",),
    "the sessions": ("ctrl+l",),
    "the list of the sessions": ("ctrl+l", "down"),
    "the prompts": ("ctrl+r",),
    "the settings": ("f12",),
    "the help": ("f1",),
    "the decisions": ("f3", "enter"),
    "what if": ("f3", "space"),
    "the models' pane": ("f5", "down"),
    "the form of a provider": ("f5", "a"),
    "a model's cards": ("f5",),
    "the costs": ("f4",),
    "the experiments": ("f4", "x"),
    "the recipes": ("f4", "r"),
    "the reports": ("f10",),
    "the advice": ("f10", "3"),
    "the commands": ("slash",),
    "the cache": ("alt+k",),
    "the marked message": ("f2", "up"),
}
"""The keys that open each from the prompt."""
NO_TEXT = set(" \u00a0─│╭╮╰╯┌┐└┘├┤┬┴━┃▔▁▂▃▄▅▆▇█▉▊▋▌▍▎▏▐▕▀▝▘▖▗")
"""Air, frames and bars."""


def drawn_cells(seat: Console) -> Iterator[tuple[str, Style]]:
    """Of what is in front."""
    dialogs = [one.region for one in seat.app.screen.query(".dialog") if one.display]
    shown = dialogs[0] if dialogs else seat.app.screen.region
    for strip in seat.app.screen._compositor.render_strips()[shown.y : shown.bottom]:
        for one in strip.crop(shown.x, shown.right):
            if one.style is not None and set(one.text) - NO_TEXT:
                yield one.text, one.style


@pytest.mark.parametrize("palette", OWN_COLORS, ids=lambda palette: palette.name)
async def test_every_letter_that_is_drawn_can_be_read(tmp_path: Path, palette: themes.Palette, thorough: bool) -> None:
    """In an everyday run the palettes share out the dialogs."""
    dialogs = list(DIALOGS.items())
    tried = dialogs if thorough else dialogs[OWN_COLORS.index(palette) :: len(OWN_COLORS)]
    script = Script().always(Say(text="It is **Paris**, on the `Seine`."))
    weak: dict[str, float] = {}
    async with console(tmp_path, size=(160, 48), script=script, ui=UiSettings(theme=palette.name)) as seat:
        await seat.send("What is the capital of France?")
        await seat.ended()
        for what, keys in [("the conversation", ()), *tried]:
            before = seat.screen
            await seat.pilot.press(*keys)
            await settle(seat.pilot)
            assert seat.screen != before or not keys, what
            for text, style in drawn_cells(seat):
                assert style.color is not None, (what, text)
                assert style.bgcolor is not None, (what, text)
                color, ground = style.color.name, style.bgcolor.name
                if style.reverse:
                    color, ground = ground, color
                if contrast(color, ground) < 4.5:
                    weak[f"{what}: {text.strip()}"] = round(contrast(color, ground), 2)
            while seat.app.screen is not seat.app.screen_stack[0]:
                await seat.pilot.press("escape")
            seat.app.composer.prompt.clear()
            seat.app.composer.prompt.focus()
            await settle(seat.pilot)
    assert weak == {}


async def test_in_the_terminals_own_colours_none_stands_on_another(tmp_path: Path) -> None:
    async with console(tmp_path, ui=UiSettings(theme=TERMINALS.name)) as seat:
        await seat.send("What is the capital of France?")
        await seat.ended()
        for keys in (("ctrl+p",), ("ctrl+s",), ("ctrl+l", "down"), ("f12",), ("f3", "enter"), ("f5", "t"), ("f5",)):
            before = seat.screen
            await seat.pilot.press(*keys)
            await settle(seat.pilot)
            assert seat.screen != before
            cells = [(text, style, style.color, style.bgcolor) for text, style in drawn_cells(seat)]
            two = [one for one, _, ink, ground in cells if ink and ground and not (ink.is_default or ground.is_default)]
            assert two == [], keys
            assert any(style.reverse and len(text.strip()) > 2 for text, style, *_ in cells), keys
            while seat.app.screen is not seat.app.screen_stack[0]:
                await seat.pilot.press("escape")
            seat.app.composer.prompt.focus()
            await settle(seat.pilot)


async def test_in_the_terminals_own_colours_the_whole_marked_row_is_reversed(tmp_path: Path) -> None:
    async with console(tmp_path, ui=UiSettings(theme=TERMINALS.name)) as seat:
        for keys in (("f5", "t"), ("down",)):
            await seat.pilot.press(*keys)
            await settle(seat.pilot)
            frame = seat.app.screen.query_one(".dialog").content_region
            strips = seat.app.screen._compositor.render_strips()[frame.y : frame.bottom]
            rows = [strip.crop(frame.x, frame.right) for strip in strips]
            (marked,) = [row for row in rows if any(one.style and one.style.reverse for one in row if one.text.strip())]
            assert all(one.style is not None and one.style.reverse for one in marked)
            assert not any(one.style and one.style.color for one in marked)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("[colors]", "[colors"), "is not TOML"),
        (("[colors]", "[colors" + ".a" * 40 + "]"), "a key has more than 30 dots (at line 6"),
        (('primary = "#8fa8ff"', "primary = " + "9" * 5000), "a number has more than 600 digits (at line 13"),
        (('primary = "#8fa8ff"', 'primary = "blu"'), ":13: colors.primary: 'blu' is no opaque colour"),
        (('primary = "#8fa8ff"', "primary = 7"), ":13: colors.primary: 7 is no opaque colour"),
        (('primary = "#8fa8ff"', 'primary = "#8fa8ff80"'), "is no opaque colour"),
        (('primary = "#8fa8ff"', ""), ":6: colors.primary: is missing"),
        (('primary = "#8fa8ff"', 'primray = "#8fa8ff"'), ":13: colors.primray: is unknown; did you mean primary?"),
        (("dark = true", 'dark = "yes"'), ":4: dark: should be true or false"),
        (("dark = true", ""), "dark: is missing"),
        (('about = "dark, ink blue; the default"', "about = 7"), ":3: about: should be a few words"),
        (("dark = true", "dark = true\nansi = 1"), ":5: ansi: should be true or false"),
        (('primary = "#8fa8ff"', 'primary = "ansi_blue"'), "is no opaque colour"),
        (("dark = true", "dark = true\nansi = true"), "is none of the terminal's colours; write one like"),
        (('name = "dusk"', 'name = "[bold]x"'), ":2: name: '[bold]x' is no name"),
        (("[roles]", "roles = 3\n[other]"), "unknown"),
        (("[roles]", "[rolse]"), "rolse: is unknown; did you mean roles?"),
    ],
)
def test_a_broken_palette_is_told_in_one_sentence_and_skipped(
    tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    assert change[0] in GOOD
    broken = tmp_path / "broken.toml"
    broken.write_text(GOOD.replace(*change, 1))
    (tmp_path / "fine.toml").write_text(GOOD.replace('"dusk"', '"fine"'))
    loaded = themes.load([tmp_path])
    assert [palette.name for palette in loaded.palettes] == ["fine"]
    (problem,) = loaded.problems
    assert problem.startswith(str(broken))
    assert sentence in problem
    assert "\n" not in problem


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a = " + b"[" * 5000, b"#" * 70_000, b""])
def test_a_file_that_is_no_palette_at_all_is_skipped(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    loaded = themes.load([tmp_path, tmp_path / "absent"])
    assert loaded.palettes == ()
    assert len(loaded.problems) == 1


def test_a_pipe_among_the_palettes_is_told_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path))
    themes_dir().mkdir(parents=True)
    os.mkfifo(themes_dir() / "held.toml")
    with pytest.raises(themes.ThemeError, match="it is a pipe or a device, not a file"):
        themes.read(themes_dir() / "held.toml")
    assert "held" not in theme_names()


def test_a_users_palette_wins_over_a_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD.replace("#8fa8ff", "#123456"))
    loaded = themes.load([SHIPPED, tmp_path])
    dusk = next(palette for palette in loaded.palettes if palette.name == "dusk")
    assert dusk.colors["primary"] == "#123456"
    assert len(loaded.palettes) == len(PALETTES)


async def test_themes_are_listed_with_what_is_said_about_them(own_home: Path) -> None:
    directory = own_home / "home" / "config" / "themes"
    directory.mkdir(parents=True)
    (directory / "mine.toml").write_text(GOOD.replace('"dusk"', '"mine"').replace('about = "', '# "'))
    async with console(own_home) as seat:
        await seat.pilot.press("f9")
        await seat.line("paper", "light")
        await seat.line("okabe-ito", "colour-blind safe")
        await seat.line("terminal", "follows the terminal")
        await seat.line("mine", "dark")
        await seat.pilot.press("escape")
        await seat.type("/theme ")
        await seat.line("contrast", "high contrast")


def test_roles_and_code_fall_back_on_the_colours(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(GOOD.split("[roles]")[0])
    (palette,) = themes.load([tmp_path]).palettes
    assert palette.roles["user-bar"] == palette.colors["primary"]
    assert palette.code["comment"] == palette.colors["muted"]


@pytest.mark.parametrize("palette", OWN_COLORS, ids=lambda palette: palette.name)
async def test_textual_takes_every_palette_and_text_is_drawn_in_its_colours(palette: themes.Palette) -> None:
    app: App[None] = App()
    async with app.run_test() as pilot:
        app.register_theme(palette.to_textual())
        app.theme = palette.name
        await pilot.pause()
        look = Look.of(app.theme_variables)

        def drawn(role: str) -> str:
            color = look.style(role).color
            assert color is not None
            return color.get_truecolor().hex

        assert drawn("text") == palette.colors["text"].lower()
        assert drawn("muted") == palette.colors["muted"].lower()
        assert drawn("money") == palette.roles["money"].lower()
        assert drawn("code-keyword") == palette.code["keyword"].lower()
        assert look.code.bgcolor is not None
        assert look.code.bgcolor.get_truecolor().hex == palette.code["background"].lower()


async def test_the_terminals_own_colours_reach_it_as_such() -> None:
    app: App[None] = App()
    async with app.run_test() as pilot:
        app.register_theme(TERMINALS.to_textual())
        app.theme = TERMINALS.name
        await pilot.pause()
        look = Look.of(app.theme_variables)
        assert look.base.bgcolor is not None
        assert look.base.bgcolor.is_default
        color = look.style("code-string").color
        assert color is not None
        assert color.number == 2
        assert app.native_ansi_color


async def test_a_users_own_theme_is_seen_when_saved_and_a_broken_one_is_told(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(themes.watch, "__defaults__", (0.02,))
    directory = own_home / "home" / "config" / "themes"
    directory.mkdir(parents=True)
    mine = directory / "mine.toml"
    text = GOOD.replace('name = "dusk"', 'name = "mine"')
    background = themes.load([SHIPPED / "dusk.toml"]).palettes[0].colors["background"].lower()
    mine.write_text(text)

    def drawn(app: App[int]) -> set[str]:
        strips = app.screen._compositor.render_strips()
        return {s.style.bgcolor.name for strip in strips for s in strip if s.style and s.style.bgcolor}

    async with console(own_home, ui=UiSettings(theme="mine")) as seat:
        assert background in drawn(seat.app)
        mine.write_text(re.sub(background, "#203040", text, flags=re.IGNORECASE))
        await seat.until(lambda: "#203040" in drawn(seat.app), "the new background")
        assert background not in drawn(seat.app)
        (directory / "worse.toml").write_text("name = 3")
        await seat.sees("worse.toml")
        assert "#203040" in drawn(seat.app)
        mine.unlink()
        await seat.sees("The theme mine is gone with its file")
        assert "#203040" in drawn(seat.app)


async def test_a_saved_palette_is_seen_while_running(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(GOOD)
    changes = themes.watch([tmp_path], every_s=0.01)
    waiting = asyncio.ensure_future(anext(changes))
    while not waiting.done():
        # Written again until it is noticed: the first look may come after the first writing.
        mine.write_text(mine.read_text() + "\n# saved")
        await asyncio.sleep(0.01)
    assert [palette.name for palette in waiting.result().palettes] == ["dusk"]
    await changes.aclose()


async def test_without_colours_what_is_marked_is_reversed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(tmp_path) as seat:
        await seat.pilot.press("ctrl+t")
        await seat.sees("Pin a model", "rush-pro")
        await seat.pilot.press("down")
        drawn = [segment for strip in seat.app.screen._compositor.render_strips() for segment in strip]
        colours = [colour for one in drawn if one.style for colour in (one.style.color, one.style.bgcolor) if colour]
        assert all(colour.is_default for colour in colours)
        reversed_ = "".join(one.text for one in drawn if one.style is not None and one.style.reverse)
        assert "tern-lite" in reversed_
        assert "rush-pro" not in reversed_


async def test_without_colours_a_full_bar_in_the_marked_row_is_no_hole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(tmp_path, script=Script().always(Say(text="Paris."))) as seat:
        await seat.send("What is the capital of France?")
        await seat.ended()
        await seat.pilot.press("f10")
        await seat.line("lumen-dash", "100%", "████")

        def reversed_(text: str) -> set[bool]:
            found = [strip for strip in seat.app.screen._compositor.render_strips() if "lumen-dash" in strip.text]
            return {bool(one.style and one.style.reverse) for strip in found for one in strip if text in one.text}

        await seat.until(lambda: reversed_("lumen-dash") == {True}, "a marked row")
        assert reversed_("████") == {False}


async def test_without_colours_a_report_s_heading_total_and_marked_row_look_different(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(tmp_path, size=(80, 24), script=Script().always(Say(text="Paris."))) as seat:
        await seat.send("What is the capital of France?")
        await seat.ended()
        await seat.pilot.press("f10")
        await seat.sees("total", "1 Costs")
        await seat.line("attempts", "share")

        def look(text: str) -> tuple[bool, bool, bool]:
            for strip in seat.app.screen._compositor.render_strips():
                for one in strip:
                    if text in one.text and one.style is not None:
                        return bool(one.style.bold), bool(one.style.underline), bool(one.style.reverse)
            raise AssertionError(text)

        await seat.until(lambda: look("lumen-dash")[2], "a marked row")
        assert look("attempts") == (True, True, False)
        assert look("total") == (True, False, False)
