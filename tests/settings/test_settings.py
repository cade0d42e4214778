"""Settings that make no sense: refused in one line, or, where only the name is odd, warned of."""

import json
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.language import use
from nonebot_plugin_qqimage.settings.forms import UnusableSettings
from nonebot_plugin_qqimage.settings.names import about
from nonebot_plugin_qqimage.settings.values import check

from ..cli.conftest import module
from ..test_load import TRY, python

WRONG = [
    ("PROXY", "127.0.0.1:7890", "http://"),
    ("PROXY", "me:secret@10.0.0.1:7890", "http://"),
    ("PROXY", "http://127.0.0.1:0", "http://"),
    ("MIRRORS", "multimedia.nt.qq.com.cn", "JSON"),
    ("MIRRORS", '{"https://gchat.qpic.cn": "https://img.example.com"}', "without a scheme"),
    ("MIRRORS", '{"gchat.qpic.cn": "img.example.com"}', "https://"),
    ("MIRRORS", '{"gchat.qpic.cn/path": "https://img.example.com"}', "without a scheme"),
    ("TRUSTED_HOSTS", '["127.0.0.1/33"]', "10.1.0.0/16"),
    ("TRUSTED_HOSTS", '["10.0.0.256"]', "10.1.0.0/16"),
    ("TRUSTED_HOSTS", '["http://nas.lan"]', "without scheme"),
    ("TRUSTED_HOSTS", '["nas.lan:8080"]', "without scheme or port"),
    ("TRUSTED_HOSTS", '["fe80::/200"]', "10.1.0.0/16"),
    ("REWRITE_URL", '["everywhere"]', "group:123456"),
    ("REWRITE_URL", '["channel:12"]', "group:123456"),
    ("REWRITE_URL", "group:1", "group:123456"),
    ("PATH_MAP", '{"": "/data"}', "JSON object"),
    ("PUBLIC_URL", "bot.example.com", "https://"),
    ("BASE_URL", "http://", "http://"),
    ("LISTEN", "0.0.0.0:99999", "0.0.0.0:8090"),
    ("LISTEN", "http://127.0.0.1:8090", "0.0.0.0:8090"),
    ("CONCURRENCY", "0", "above 0"),
    ("DOWNLOAD_TIMEOUT", "soon", "20"),
    ("PREFETCH", "perhaps", "true or false"),
    ("LANGUAGE", "klingon", "auto, zh or en"),
]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.mark.parametrize(("name", "value", "form"), WRONG)
async def test_every_command_ends_with_2_and_one_line(
    tmp_path: Path, name: str, value: str, form: str
) -> None:
    setting = {f"QQIMAGE__{name}": value}
    done = await module(tmp_path, "stats", **setting)
    assert (done.status, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert f"QQIMAGE__{name}" in line
    assert form in line
    assert "secret" not in line


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_bot_is_told_in_its_language_without_a_traceback(tmp_path: Path, language: str) -> None:
    wrong = {"QQIMAGE__PROXY": "127.0.0.1:7890", "QQIMAGE__TRUSTED_HOSTS": '["127.0.0.1/33"]'}
    log = python(TRY, tmp_path, DRIVER="~none", QQIMAGE__LANGUAGE=language, **wrong)
    (line,) = [line for line in log.splitlines() if "QQIMAGE__PROXY" in line]
    assert "QQIMAGE__TRUSTED_HOSTS" in line
    assert ("无法使用" in line) == (language == "zh")
    assert "Traceback" not in log
    assert "the bot goes on" in log


async def test_the_doctor_reports_values_and_names(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("QQIMAGE__PATHMAP={}\nQQIMAGE__MIRRORS=nonsense\n")
    done = await module(tmp_path, "doctor", "--json", QQIMAGE_PREFETCH="0", QQIMAGE__LANGUAGE="zh")
    assert (done.status, done.err) == (2, "")
    lines = [line for line in json.loads(done.out)["lines"] if line["about"] == "settings"]
    assert {line["text"].partition(" ")[0]: line["state"] for line in lines} == {
        "QQIMAGE__MIRRORS": "failed",
        "QQIMAGE__PATHMAP": "warning",
        "QQIMAGE_PREFETCH": "warning",
    }
    assert all("did you mean" in line["text"] for line in lines if line["state"] == "warning")
    told = await module(tmp_path, "doctor", QQIMAGE_PREFETCH="0", QQIMAGE__LANGUAGE="zh")
    assert told.status == 2
    assert "QQIMAGE__MIRRORS 无法使用" in told.out
    assert "是不是想写 QQIMAGE__PREFETCH" in told.out


def test_the_doctor_of_nb_tells_of_them_where_the_plugin_was_refused(tmp_path: Path) -> None:
    code = TRY + (
        "import importlib.metadata, sys\n"
        "found = importlib.metadata.entry_points(group='nb_scripts', name='qqimage')\n"
        "sys.argv = ['qqimage', 'doctor']\n"
        "try:\n    next(iter(found)).load()()\n"
        "except SystemExit as end:\n    print('ended with', end.code)\n"
    )
    told = python(code, tmp_path, DRIVER="~none", QQIMAGE__PROXY="127.0.0.1:7890")
    assert 'FAILED  settings: QQIMAGE__PROXY="127.0.0.1:7890"' in told
    assert "ended with 2" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("QQIMAGE__PATHMAP", "QQIMAGE__PATH_MAP"),
        ("QQIMAGE_PREFETCH", "QQIMAGE__PREFETCH"),
        ("QQIMAGE__PREFECTH", "QQIMAGE__PREFETCH"),
        ("QQ_IMAGE__PROXY", "QQIMAGE__PROXY"),
        ("QQIMG__DOWNLOAD_TIMEOUT", "QQIMAGE__DOWNLOAD_TIMEOUT"),
        ("QQIMAGE_PATH_MAP__/APP", "QQIMAGE__PATH_MAP"),
        ("QQIMAGE___PROXY", "QQIMAGE__PROXY"),
    ],
)
def test_what_was_meant(name: str, meant: str) -> None:
    assert f"did you mean {meant}?" in (about(name) or "")


@pytest.mark.parametrize(
    "name",
    [
        "QQIMAGE",
        "QQIMAGE__PROXY",
        "QQIMAGE__PATH_MAP__/APP",
        "HTTP_PROXY",
        "PROXY",
        "IMAGE__MIRRORS",
    ],
)
def test_names_that_are_right_or_somebody_elses(name: str) -> None:
    assert about(name) is None


def test_what_makes_sense_is_accepted() -> None:
    check(
        ScopedConfig(
            proxy="http://me:secret@[::1]:7890",
            mirrors={"Multimedia.nt.qq.com.cn": "https://img.example.com/qq/"},
            trusted_hosts=["nas", "NAS.lan", "10.1.2.3/16", "::1", "[fd00::]", "localhost"],
            rewrite_url=["group:1", "private:10001", "123", 456],
            path_map={"/app": "/data", "C:\\NapCat": "data", "//wsl$/x": "/"},
            public_url="https://bot.example.com/pictures",
        )
    )


def test_several_are_told_of_at_once() -> None:
    use("en")
    with pytest.raises(UnusableSettings) as caught:
        check(ScopedConfig(proxy="nonsense", rewrite_url=["nowhere"]))
    assert str(caught.value).count("cannot be used") == 2
