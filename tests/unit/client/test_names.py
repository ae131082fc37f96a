"""The public names: all described, annotated whole, and light to import."""

import inspect
import subprocess
import sys
from typing import Any

import pytest

import vagus.client
from vagus.client import Client, Subscription


@pytest.mark.parametrize("name", vagus.client.__all__)
def test_a_public_name_says_what_it_is(name: str) -> None:
    doc = inspect.getdoc(getattr(vagus.client, name))
    assert doc and not doc.startswith(f"{name}(")


@pytest.mark.parametrize("cls", [Client, Subscription])
def test_a_public_class_is_annotated_and_described_whole(cls: type[Any]) -> None:
    for name, method in vars(cls).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            assert inspect.getdoc(method), name
            assert inspect.signature(method).return_annotation is not inspect.Parameter.empty, name


def test_the_client_loads_no_server() -> None:
    program = "import sys, vagus.client\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not {"vagus.hub", "vagus.wire", "vagus.server", "structlog", "uvicorn", "litestar", "sqlalchemy"} & loaded
