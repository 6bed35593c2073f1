"""The page on reliability is made from results, and says what they say."""

import json

import pytest


@pytest.fixture
def reliability(benchmark):
    return benchmark("reliability")


def test_page_is_up_to_date(reliability):
    results = reliability.read_results()
    text = reliability.PAGE.read_text()
    assert reliability.summary(results) in text
    for result in results:
        assert reliability.section(result) in text


def test_result_that_lacks_a_count_is_refused(reliability, tmp_path):
    result = {"title": "A", "command": "b", "date": "c", "rows": [{"what": "d"}]}
    (tmp_path / "a.json").write_text(json.dumps(result))
    with pytest.raises(SystemExit, match="a.json lacks defects, happened, tried"):
        reliability.read_results(tmp_path)


def test_cells_keep_their_text(reliability):
    row = {"what": "a*b_ |c|", "tried": 1234, "happened": "``x*y``", "defects": 0}
    result = {"title": "A", "command": "b", "date": "c", "rows": [row]}
    text = reliability.section(result)
    assert "1,234" in text
    assert "``x*y``" in text
    assert "a\\*b\\_ \\|c\\|" in text
