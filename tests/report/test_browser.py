"""The page, as a browser shows it from disk."""

import re

import numpy as np
import pytest

from skemotion.report import write_report

pytestmark = pytest.mark.browser


class Opened:
    """A page in a browser, and all that it said and asked for."""

    def __init__(self, browser, path, **options):
        self.page = browser.new_page(**options)
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def visible_rows(self):
        return self.page.locator("#recordings tbody tr:visible")


@pytest.fixture(scope="module")
def path(evaluation, tmp_path_factory):
    return write_report(evaluation, tmp_path_factory.mktemp("page"), title="<i>T</i>")


@pytest.fixture
def opened(chromium, path):
    opened = Opened(chromium, path)
    yield opened
    opened.page.close()


def test_players_load_and_play(opened, evaluation):
    players = opened.page.locator("audio")
    assert players.count() == len(evaluation)
    found = opened.page.evaluate(
        """async () => {
          const found = [];
          for (const audio of document.querySelectorAll("audio")) {
            await new Promise((resolve, reject) => {
              audio.addEventListener("canplaythrough", resolve, { once: true });
              audio.addEventListener("error", reject, { once: true });
              audio.preload = "auto";
              audio.load();
            });
            found.push([audio.readyState, audio.duration, audio.error]);
          }
          return found;
        }"""
    )
    texts = opened.page.locator("#recordings .recording .note").all_inner_texts()
    for (state, duration, error), text in zip(found, texts, strict=True):
        assert state == 4
        assert error is None
        said = float(re.search(r"([\d.]+)\ss,", text)[1])
        assert duration == pytest.approx(said, abs=0.1)


def test_a_click_on_the_picture_plays_from_there(opened):
    row = opened.visible_rows().first
    picture = row.locator(".scene div")
    box = picture.bounding_box()
    picture.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    moved = "(row) => row.querySelector('audio').currentTime > {}"
    half = "row.querySelector('audio').duration / 2 + 0.05"
    opened.page.wait_for_function(moved.format(half), arg=row.element_handle())
    assert row.locator(".cursor").is_visible()
    left = row.locator(".cursor").evaluate("(cursor) => parseFloat(cursor.style.left)")
    assert 50 <= left <= 100


def test_one_player_at_a_time(opened):
    playing = opened.page.evaluate(
        """async () => {
          const [first, second] = document.querySelectorAll("audio");
          first.loop = second.loop = first.muted = second.muted = true;
          await first.play();
          await second.play();
          return [first.paused, second.paused];
        }"""
    )
    assert playing == [True, False]


def test_filters_filter(opened, evaluation, hostile):
    page, y_pred = opened.page, evaluation.y_pred
    assert opened.visible_rows().count() == len(evaluation)
    page.get_by_label("Answer").select_option("wrong")
    is_wrong = evaluation.y_true != y_pred
    assert opened.visible_rows().count() == is_wrong.sum()
    page.get_by_label("Speaker").select_option(index=1)
    is_first = evaluation.speakers == np.unique(evaluation.speakers)[0]
    assert opened.visible_rows().count() == (is_wrong & is_first).sum()
    assert page.locator("#shown").inner_text() == (
        f"{(is_wrong & is_first).sum()} of {len(evaluation)} shown"
    )
    for label in ("Answer", "Speaker"):
        page.get_by_label(label).select_option("all")
    page.get_by_label("Emotion").select_option(label=hostile.label)
    assert opened.visible_rows().count() == (evaluation.y_true == hostile.label).sum()
    page.get_by_label("Emotion").select_option("all")
    page.get_by_label("Recognised as").select_option(label=hostile.label)
    assert opened.visible_rows().count() == (y_pred == hostile.label).sum()


def test_hostile_names_run_nothing(opened, hostile):
    page = opened.page
    page.locator("#recordings").hover()
    for element in page.locator("bdi").all()[:40]:
        element.dispatch_event("mouseover")
    page.wait_for_load_state("networkidle")
    assert page.title() == "<i>T</i>"
    assert page.locator("script").count() == 1
    assert page.locator("img[src=x]").count() == 0
    assert page.get_by_text(hostile.label).count() > 0
    assert opened.said == []


def test_what_is_not_the_page_own_script_is_not_run(chromium, path, tmp_path):
    changed = tmp_path / "changed.html"
    text = path.read_text(encoding="utf-8")
    inserted = "<script>document.title='hacked'</script><img src=x onerror='title=1'>"
    changed.write_text(text.replace("<main>", f"<main>{inserted}"), encoding="utf-8")
    opened = Opened(chromium, changed)
    assert opened.page.title() == "<i>T</i>"
    assert any("Content Security Policy" in text for text in opened.said)
    opened.page.close()


def test_nothing_is_asked_of_anybody(opened, path):
    opened.page.mouse.wheel(0, 20000)
    opened.page.wait_for_load_state("networkidle")
    others = [url for url in opened.asked if not url.startswith("data:")]
    assert others == [path.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_it_fits_and_can_be_read(chromium, path, scheme, width):
    size = {"width": width, "height": 800}
    opened = Opened(chromium, path, viewport=size, color_scheme=scheme)
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    style = page.locator("body").evaluate_handle("(body) => getComputedStyle(body)")
    paper, ink = style.evaluate("(style) => [style.backgroundColor, style.color]")
    assert abs(_brightness(paper) - _brightness(ink)) > 150
    assert (_brightness(paper) > 128) == (scheme == "light")
    drawn = page.locator("figure img:visible")
    assert drawn.count() == 3
    assert {each.get_attribute("class") for each in drawn.all()} == {f"on-{scheme}"}
    broken = (
        "[...document.images].filter((each) => each.complete && !each.naturalWidth)"
    )
    assert page.evaluate(f"{broken}.length") == 0
    page.close()


def test_on_paper(chromium, path):
    opened = Opened(chromium, path, color_scheme="dark")
    opened.page.emulate_media(media="print")
    assert opened.page.locator("audio:visible").count() == 0
    assert opened.page.locator("#filters").is_hidden()
    assert opened.page.locator("figure img.on-light:visible").count() == 3
    assert opened.page.locator("figure img.on-dark:visible").count() == 0
    assert opened.page.pdf(format="A4").startswith(b"%PDF")
    opened.page.close()


def _brightness(colour):
    numbers = colour.removeprefix("rgb(").removesuffix(")").split(",")
    return np.mean([float(number) for number in numbers])
