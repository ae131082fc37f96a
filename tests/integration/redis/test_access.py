"""Who may come in: passwords, users, certificates. No error tells a secret."""

from pathlib import Path

import pytest

from tests.integration.redis.certificates import Certificates
from tests.integration.redis.conftest import Connect
from tests.integration.redis.ears import Heard
from tests.integration.redis.servers import RedisServer
from vagus.broker.redis.addresses import options_from
from vagus.broker.redis.connecting import AccessError
from vagus.broker.redis.servers import servers_from
from vagus.kernel.errors import BrokerError


async def refusal(url: str, **files: str) -> BrokerError:
    servers = servers_from(options_from(url, timeout_s=1.5, **files))
    with pytest.raises(BrokerError) as error:
        await servers.start(Heard())
    return error.value


async def test_the_right_password_opens(program: Path, tmp_path: Path, connect: Connect) -> None:
    with RedisServer(program, tmp_path, password="s3cr3t") as server:
        servers, heard = await connect(server.url)
        await servers.listen([b"a"])
        await servers.run(None, b"PUBLISH", b"a", b"1")
        await heard.until(lambda: heard.messages == [(b"a", b"1")])


async def test_a_wrong_password_is_said_and_not_told(program: Path, tmp_path: Path) -> None:
    with RedisServer(program, tmp_path, password="s3cr3t") as server:
        error = await refusal(f"redis://:wr0ng@127.0.0.1:{server.port}")
        assert isinstance(error, AccessError)
        assert "does not accept the user or the password" in str(error)
        assert "wr0ng" not in repr(error)


async def test_a_missing_password_is_said(program: Path, tmp_path: Path) -> None:
    with RedisServer(program, tmp_path, password="s3cr3t") as server:
        assert "wants a password" in str(await refusal(f"redis://127.0.0.1:{server.port}"))


async def test_a_password_for_a_server_without_one_is_said(server: RedisServer) -> None:
    error = await refusal(f"redis://:n33dless@127.0.0.1:{server.port}")
    assert "does not accept" in str(error)
    assert "n33dless" not in repr(error)


async def test_a_user_with_few_rights_gets_along(server: RedisServer, connect: Connect) -> None:
    rights = ("resetchannels", "&v:*", "~v:*", "-@all", "+ping", "+get", "+subscribe", "+unsubscribe", "+publish")
    server.ask("ACL", "SETUSER", "few", "on", ">p:w/d@1", *rights)
    servers, heard = await connect(f"redis://few:p%3Aw%2Fd%401@127.0.0.1:{server.port}")
    assert await servers.run(None, b"GET", b"v:k") is None
    await servers.listen([b"v:a"])
    await servers.run(None, b"PUBLISH", b"v:a", b"1")
    await heard.until(lambda: heard.messages == [(b"v:a", b"1")])


async def test_a_database_that_does_not_exist_is_said(server: RedisServer) -> None:
    assert "refused database 99" in str(await refusal(f"{server.url}/99"))


async def test_tls_with_an_authority_that_is_believed(redis_program: Path, tmp_path: Path, connect: Connect) -> None:
    certificates = Certificates(tmp_path / "certificates")
    with RedisServer(redis_program, tmp_path, certificates=certificates, password="pw") as server:
        servers, heard = await connect(server.url, ca_file=certificates.authority)
        await servers.listen([b"a"])
        await servers.run(None, b"PUBLISH", b"a", b"1")
        await heard.until(lambda: heard.messages == [(b"a", b"1")])
        server.restart()
        await heard.restoring(b"a")


async def test_tls_with_an_authority_that_is_not_known_is_refused(redis_program: Path, tmp_path: Path) -> None:
    with RedisServer(redis_program, tmp_path, certificates=Certificates(tmp_path / "certificates")) as server:
        assert "is not believed" in str(await refusal(server.url))


async def test_a_certificate_for_another_host_is_refused(redis_program: Path, tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certificates", host="10.1.2.3")
    with RedisServer(redis_program, tmp_path, certificates=certificates) as server:
        error = await refusal(server.url, ca_file=certificates.authority)
        assert "is not believed: IP address mismatch" in str(error)


async def test_a_server_that_wants_a_certificate_gets_ours(
    redis_program: Path, tmp_path: Path, connect: Connect
) -> None:
    certificates = Certificates(tmp_path / "certificates")
    with RedisServer(redis_program, tmp_path, "--tls-auth-clients", "yes", certificates=certificates) as server:
        assert isinstance(await refusal(server.url, ca_file=certificates.authority), BrokerError)
        servers, _ = await connect(
            server.url,
            ca_file=certificates.authority,
            cert_file=certificates.client,
            key_file=certificates.client_key,
        )
        assert await servers.run(None, b"PING") == b"PONG"


async def test_tls_to_a_server_without_it_is_an_error(server: RedisServer) -> None:
    assert f"Redis at 127.0.0.1:{server.port}" in str(await refusal(server.url.replace("redis://", "rediss://")))


async def test_no_tls_to_a_server_with_it_is_an_error(redis_program: Path, tmp_path: Path) -> None:
    with RedisServer(redis_program, tmp_path, certificates=Certificates(tmp_path / "certificates")) as server:
        assert f"Redis at 127.0.0.1:{server.port}" in str(await refusal(server.url.replace("rediss://", "redis://")))


def test_options_show_no_secret() -> None:
    options = options_from("redis+sentinel://hub:s3cr3t@cache/m?sentinel_password=s3cr3t")
    assert "s3cr3t" not in f"{options} {options!r}"
