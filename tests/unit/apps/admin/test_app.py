"""Installing: what a hub must not have already, and what importing costs."""

import subprocess
import sys

import pytest

from vagus.apps.admin import install
from vagus.hub import Hub
from vagus.kernel.channels import ChannelRule


def test_installed_twice_it_is_the_same() -> None:
    hub = Hub()
    assert install(hub) is install(hub)


def test_a_section_of_that_name_is_a_mistake() -> None:
    hub = Hub()
    hub.section("Admin")
    with pytest.raises(ValueError, match="there is a section 'admin' already"):
        install(hub)


def test_a_rule_for_one_of_its_channels_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="'alerts' has a rule already"):
        install(Hub(rules=[ChannelRule(pattern="alerts")]))


def test_a_wider_rule_of_the_application_leaves_its_channels_alone() -> None:
    hub = Hub(rules=[ChannelRule(pattern="{all*}", subscribe=("anyone",), publish=("anyone",))])
    install(hub)
    assert hub.rule_of("alerts").subscribe == ("@admin",)
    assert hub.rule_of("alerts").publish == ()


def test_importing_the_app_does_not_import_litestar() -> None:
    program = "import sys, vagus.apps.admin; sys.exit('litestar' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
