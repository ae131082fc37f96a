from importlib import resources

from vagus.broker.redis import scripts


def test_every_script_is_loaded_and_says_what_it_does() -> None:
    files = resources.files("vagus.broker.redis").joinpath("lua").iterdir()
    texts = {file.read_text("utf-8") for file in files}
    assert texts == {script.text for script in scripts.ALL}
    assert all(text.startswith("-- ") and "-- KEYS  1 " in text and "-- ARGV  1 " in text for text in texts)


def test_scripts_are_told_apart_by_their_hash() -> None:
    assert len({script.sha for script in scripts.ALL}) == len(scripts.ALL)
