"""The public names: all of them are there, described, and cost nothing until they are used."""

import importlib.resources
import inspect
import subprocess
import sys

import pytest

import vagus
import vagus.testing


@pytest.mark.parametrize("name", vagus.__all__)
def test_a_public_name_can_be_imported(name: str) -> None:
    assert getattr(vagus, name) is not None


def test_the_names_for_type_checkers_are_those_at_run_time() -> None:
    tree = inspect.getsource(vagus).partition("if TYPE_CHECKING:")[2].partition("_HOMES")[0]
    declared = {line.rpartition(" as ")[2] for line in tree.splitlines() if " as " in line}
    assert declared | {"__version__"} == set(vagus.__all__)
    assert vagus.__all__ == ["__version__", *sorted(declared)]


@pytest.mark.parametrize(
    "value",
    [
        *(getattr(vagus, name) for name in vagus.__all__[1:]),
        *(getattr(vagus.testing, n) for n in vagus.testing.__all__),
    ],
)
def test_a_public_name_says_what_it_is(value: object) -> None:
    if inspect.isclass(value) or inspect.isfunction(value):
        doc = inspect.getdoc(value)
        assert doc
        assert not doc.startswith(f"{value.__name__}(")


@pytest.mark.parametrize("cls", [vagus.Hub, vagus.testing.World, vagus.testing.MemoryClient, vagus.testing.FakeClock])
def test_a_public_class_is_annotated_whole(cls: type) -> None:
    for name, method in vars(cls).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            parameters = list(inspect.signature(method).parameters.values())[1:]
            assert all(parameter.annotation is not inspect.Parameter.empty for parameter in parameters), name
            assert inspect.signature(method).return_annotation is not inspect.Parameter.empty, name


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = vagus.Nothing


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after running the code."""
    program = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_next_to_nothing() -> None:
    loaded = loaded_by("import vagus")
    assert not {"asyncio", "litestar", "msgspec", "structlog", "uvicorn", "vagus.hub"} & loaded


@pytest.mark.parametrize("code", ["from vagus import Hub", "import vagus.testing", "from vagus import asgi_app"])
def test_a_hub_needs_no_web_framework(code: str) -> None:
    assert not {"argon2", "click", "litestar", "uvicorn"} & loaded_by(code)


def test_the_marker_for_type_checkers_is_there() -> None:
    assert importlib.resources.files("vagus").joinpath("py.typed").is_file()
