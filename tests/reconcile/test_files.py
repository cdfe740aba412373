"""Logs of all kinds: JSON lines, CSV, gzip; columns by their usual names or mapped; bad lines by their numbers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from iwrouting.reports.reconcile import BadFile, ClientLine, ProviderLine, Source
from iwrouting.reports.reconcile.logs import client_log, provider_log, read_mapping

ID = "019a4a30-5c00-7000-8000-000000000001"
SANDBOX = {
    "at": "2026-11-03T10:00:00.5Z",
    "model": "gpt-4.1",
    "status": 200,
    "request_id": "req_1",
    "client_request_id": f"{ID}-2",
    "usage": {"prompt_tokens": 9, "completion_tokens": 4},
    "stream": False,
}


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def provider(path: Path, **mapped: str) -> list[ProviderLine]:
    return list(provider_log(Source(path), mapped).lines())


def client(path: Path, **mapped: str) -> list[ClientLine]:
    return list(client_log(Source(path), mapped).lines())


def test_sandbox_log__is_read_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, "log.jsonl", json.dumps(SANDBOX) + "\n\n" + json.dumps(SANDBOX) + "\n")
    told = ProviderLine(1, ID, 2, "req_1", 200, "gpt-4.1", 9, 4, 1793700000.5)
    assert provider(path) == [told, told._replace(line=3)]


def test_compressed_log__is_unpacked(tmp_path: Path) -> None:
    path = written(tmp_path, "log.jsonl.gz", gzip.compress(json.dumps(SANDBOX).encode()))
    assert provider(path)[0].decision == ID
    broken = written(tmp_path, "broken.gz", gzip.compress(json.dumps(SANDBOX).encode())[:-12])
    with pytest.raises(BadFile, match=r"broken\.gz can't be read"):
        provider(broken)


def test_csv__by_usual_names_and_by_mapping(tmp_path: Path) -> None:
    usual = f'\ufeffx-iw-decision-id,status,model,note\r\n{ID.upper()},200,gpt-4.1,"two\nlines"\r\n'
    assert client(written(tmp_path, "usual.csv", usual)) == [ClientLine(3, ID, "", 200, "gpt-4.1")]
    other = f"ref;x,http,what\n{ID}-1,500.0,m\n"
    mapped = {"try": "ref;x", "status": "http", "model": "what"}
    assert provider(written(tmp_path, "other.csv", other), **mapped) == [ProviderLine(2, ID, 1, "", 500, "m")]


def test_inner_members__are_named_with_a_dot(tmp_path: Path) -> None:
    record = {"meta": {"ref": ID.replace("-", "")}, "u": {"in": 3}, "whole": True}
    path = written(tmp_path, "log.jsonl", json.dumps(record))
    assert client(path, decision="meta.ref", prompt="u.in") == [ClientLine(1, ID, prompt=3, whole=1)]


def test_bad_lines__are_numbered_and_passed_over(tmp_path: Path) -> None:
    good = json.dumps(SANDBOX)
    bad: list[Any] = ["{", "[1]", json.dumps({**SANDBOX, "status": "x"}), json.dumps({"model": "m"}), "\xff"]
    source = Source(written(tmp_path, "log.jsonl", "\n".join([good, *bad, good])))
    assert [line.line for line in provider_log(source, {}).lines()] == [1, 7]
    assert (source.lines, source.bad) == (2, 5)
    assert [reason.partition(": ")[2] for reason in source.reasons] == [
        "this is not JSON",
        "this is no JSON object",
        "status 'x' is no whole number",
        "it has neither the X-Client-Request-Id nor the provider's own id of the request",
        "this is not JSON",
    ]
    assert source.reasons[0].startswith(f"{tmp_path}/log.jsonl, line 2: ")
    source = Source(written(tmp_path, "log.csv", f"decision,status\n{ID},200\n{ID}\nnone,1\n{ID},1e400\n{ID},-1\n"))
    assert [line.line for line in client_log(source, {}).lines()] == [2]
    assert [reason.partition("line ")[2] for reason in source.reasons] == [
        "3: it has 1 columns, the heading 2",
        "4: 'none' is no decision id",
        "5: status '1e400' is no whole number",
        "6: status '-1' is no whole number",
    ]


@pytest.mark.parametrize(
    ("text", "mapped", "message"),
    [
        ("", {}, "has no line that can be compared. Columns found: none"),
        ('{"a": 1, "b": {"c": 2}}\n', {}, "Columns found: a, b.c. Name those that are meant with --map FIELD=COLUMN"),
        ("a,b\n1,2\n", {"decision": "c"}, "has no column 'c' for decision. Columns found: a, b"),
        (f"decision\n{ID}\n", {"status": "http"}, "has no column 'http' for status. Columns found: decision"),
    ],
)
def test_file_without_the_columns__names_those_that_it_has(
    tmp_path: Path, text: str, mapped: dict[str, str], message: str
) -> None:
    with pytest.raises(BadFile) as caught:
        client(written(tmp_path, "log", text), **mapped)
    assert message in str(caught.value)


def test_mapping__goes_to_the_file_that_has_the_field() -> None:
    both = ["client", "provider"]
    assert read_mapping(["decision=a", "try=b", "client.status=c=d"], both) == {
        "client": {"decision": "a", "status": "c=d"},
        "provider": {"try": "b"},
        "usage": {},
    }
    for pair, message in [
        ("status=a", "may be of more than one file: give client.status=a or provider.status=a"),
        ("colour=a", "is not FIELD=COLUMN. Fields of the files given: client: decision, request"),
        ("usage.model=a", "is not FIELD=COLUMN"),
        ("decision=", "is not FIELD=COLUMN"),
        ("decision", "is not FIELD=COLUMN"),
    ]:
        with pytest.raises(BadFile, match=message):
            read_mapping([pair], both)
