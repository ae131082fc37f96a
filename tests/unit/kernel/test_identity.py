"""Identities, and the roles that the whole house knows."""

from vagus.kernel.identity import ANONYMOUS, Grant, Identity, Role


def test_who_has_no_name_is_anonymous() -> None:
    assert ANONYMOUS.is_anonymous
    assert Identity().is_anonymous
    assert not Identity(user="42").is_anonymous


def test_a_role_is_the_word_that_tokens_carry() -> None:
    assert {str(role) for role in Role} == {"viewer", "operator", "admin", "auditor", "service", "neuron"}


def test_a_grant_leaves_every_option_to_the_rule() -> None:
    grant = Grant()
    options = (grant.presence, grant.join_leave, grant.force_push_join_leave, grant.recovery, grant.positioning)
    assert options == (None,) * 5
