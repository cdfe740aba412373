"""`matrix_replace`: one model in the place of another, everywhere, with what it brings, what it leaves and its undo."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime, timedelta

import pytest

from iwrouting.conf.settings import env_file
from iwrouting.models import Alias, ApiKey, Change, Model, Override, Price, Project, Revision, new_key
from iwrouting.types import ALWAYS
from tests.commands.running import Done, run
from tests.planning.cast import LATER, by_ann, fill, stored
from tests.planning.deciding import decide

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]

WHY = ("--reason", "Ticket 812: it ends", "--acknowledge", "all", "--yes")
YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)


@pytest.fixture(autouse=True)
def _filled() -> None:
    """The small configuration, and gpt-5.1 in every place that can name a model."""
    fill()
    with by_ann():
        atlas, boreas = Project.objects.get(slug="atlas"), Project.objects.get(slug="boreas")
        Alias(name="auto", kind="chat_mode", default_model="gpt-4.1", chain=["gpt-5.1", "fast", "gpt-4.1"]).save()
        fast, auto = Alias.objects.get(name="fast"), Alias.objects.get(name="auto")
        Override(alias=fast, project=atlas, model="gpt-5.1").save()
        Override(alias=fast, project=None, model="gpt-5.1", enabled=False).save()
        Override(alias=auto, project=atlas, model="gpt-5.1", starts_at=LATER).save()
        Override(alias=auto, project=boreas, model="gpt-5.1", expires_at=datetime(2026, 1, 1, tzinfo=UTC)).save()


def replace(*arguments: str) -> Done:
    return run("matrix_replace", *arguments, "--format", "json")


def changed(done: Done) -> dict[str, dict[str, list[object]]]:
    return {f"{row['type']}:{row['name']}": row["changed"] for row in done.json["changes"]}


def left(done: Done) -> dict[str, str]:
    return {f"{each['kind']}:{each['name']}": each["told"] for each in done.json["left"]}


def test_replace__takes_defaults_overrides_and_chains__in_one_revision() -> None:
    before = Revision.current()
    done = replace("gpt-5.1", "gpt-4.1", *WHY)
    assert done.code == 0
    assert changed(done) == {
        "alias:auto": {"chain": [["gpt-5.1", "fast", "gpt-4.1"], ["gpt-4.1", "fast"]]},
        "alias:manager": {"default_model": ["gpt-5.1", "gpt-4.1"]},
        "override:auto for atlas": {"model": ["gpt-5.1", "gpt-4.1"]},
        "override:fast for all projects": {"model": ["gpt-5.1", "gpt-4.1"]},
        "override:fast for atlas": {"model": ["gpt-5.1", "gpt-4.1"]},
    }
    assert Revision.current() == before + 1
    assert "has no effect: it stays as it is" in left(done)["override:auto for boreas"]
    assert list(Override.objects.filter(model="gpt-5.1").values_list("project__slug", flat=True)) == ["boreas"]
    assert Change.objects.get(revision=before + 1).reason == "Ticket 812: it ends"


def test_replace__is_undone_by_the_command_that_it_names() -> None:
    before = stored()
    done = replace("gpt-5.1", "gpt-4.1", *WHY)
    assert stored() != before
    command = done.err.partition("To undo it:\n")[2].strip()
    assert command == done.json["undo"]
    program, name, *arguments = shlex.split(command)
    undone = run(name, *arguments, "--yes", "--acknowledge", "all")
    assert (program, undone.code) == ("manage.py", 0)
    assert stored() == before


def test_replace__that_is_a_dry_run__shows_it_and_changes_nothing() -> None:
    before = Revision.current()
    done = replace("gpt-5.1", "gpt-4.1", "--dry-run")
    assert (done.code, len(done.json["changes"]), Revision.current()) == (3, 5, before)
    assert "5 rows would change." in done.err
    table = run("matrix_replace", "gpt-5.1", "gpt-4.1", "--dry-run", "--format", "table").out
    for told in ("How they differ", "What goes on naming it", "The last 7 days: ", "[gpt-4.1, fast]"):
        assert told in table


def test_replace__that_nobody_confirms_or_gives_a_reason_for__changes_nothing() -> None:
    before = Revision.current()
    assert replace("gpt-5.1", "gpt-4.1", "--reason", "Ticket 812", "--acknowledge", "all").code == 2
    assert replace("gpt-5.1", "gpt-4.1", "--yes").err.startswith("--reason: ")
    unseen = replace("gpt-5.1", "gpt-4.1", "--reason", "Ticket 812", "--yes")
    assert (unseen.code, "--acknowledge override_same" in unseen.err) == (1, True)
    assert Revision.current() == before


def test_replace__only_of_some_parts__says_what_it_leaves() -> None:
    done = replace("gpt-5.1", "gpt-4.1", "--only", "defaults,chains", "--dry-run")
    assert set(changed(done)) == {"alias:auto", "alias:manager"}
    assert left(done)["override:fast for atlas"] == "its model is left out by --only: add overrides to change it"


def test_replace__for_a_project__takes_its_overrides_alone() -> None:
    done = replace("gpt-5.1", "gpt-4.1", "--project", "p-1", "--dry-run")
    assert set(changed(done)) == {"override:auto for atlas", "override:fast for atlas"}
    assert "is no override of atlas" in left(done)["override:fast for all projects"]
    assert "is no override of atlas" in left(done)["alias:manager"]


def test_replace__tells_what_it_does_not_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    with by_ann():
        manager = Alias.objects.get(name="manager")
        manager.variable = "OPENAI_MODEL_MANAGER"
        manager.save()
        key, atlas = new_key(), Project.objects.get(slug="atlas")
        ApiKey(key_id=key.key_id, sha256=key.sha256, name="ci", project=atlas, allowed_models=["gpt-5.1"]).save()
    values = {"OPENAI_MODEL_MANAGER": "gpt-5.1", "OPENAI_MODEL_OLD": "gpt-5.1"}
    monkeypatch.setattr("iwrouting.conf.environment.variables", lambda: values)
    monkeypatch.setenv("OPENAI_MODEL_MANAGER", "gpt-5.1")
    monkeypatch.delenv("OPENAI_MODEL_OLD", raising=False)
    found = left(replace("gpt-5.1", "gpt-4.1", "--dry-run"))
    assert found["environment:OPENAI_MODEL_MANAGER"].startswith(
        "the alias manager reads it: set OPENAI_MODEL_MANAGER=gpt-4.1 in the environment of every host"
    )
    in_file = f"no alias reads it: set OPENAI_MODEL_OLD=gpt-4.1 in {env_file()} of every host"
    assert found["environment:OPENAI_MODEL_OLD"].startswith(in_file)
    assert "may call gpt-5.1, not gpt-4.1" in found[f"key:{key.key_id}"]
    assert "routing_check FILE" in found["document:the written matrix"]


def test_replace__of_a_rung_that_is_an_alias_of_that_name__leaves_it() -> None:
    with by_ann():
        Model(model_id="solo", endpoints=["chat"]).save()
        Alias(name="solo", kind="role", default_model="solo", chain=["fast"]).save()
        auto = Alias.objects.get(name="auto")
        auto.chain = ["solo", "fast"]
        auto.save()
    assert set(changed(replace("solo", "gpt-4.1", "--dry-run"))) == {"alias:solo"}


def test_replace__of_a_model_that_the_catalogue_lacks__compares_prices_alone() -> None:
    with by_ann():
        Override.objects.create(
            alias=Alias.objects.get(name="manager"), project=Project.objects.get(slug="boreas"), model="made-up-1"
        )
    done = replace("made-up-1", "gpt-4.1", "--dry-run").json
    assert {each["what"] for each in done["compared"]} <= {
        f"{name} price, $ per 1M tokens" for name in ("input", "cached input", "output")
    }


def test_replace__compares_the_models__and_prices_the_calls_of_the_last_days() -> None:
    decide("manager", project="boreas")
    with by_ann():
        for name, tier in (("gpt-5.1", "strong"), ("gpt-4.1", "mid")):
            row = Model.objects.get(model_id=name)
            row.tier = tier
            row.save()
    done = replace("gpt-5.1", "gpt-4.1", "--dry-run", "--days", "2")
    differing = {each["what"]: (each["before"], each["after"], each["meaning"]) for each in done.json["compared"]}
    assert differing["input price, $ per 1M tokens"] == ("1", "2", "dearer: 2 times as much")
    assert differing["output price, $ per 1M tokens"] == ("4", "0.000001", "")
    assert differing["cost tier"] == ("strong", "mid", "weaker: do its tasks need more?")
    assert differing["reasoning"] == ("yes", "no", "")
    assert differing["endpoints"] == ("chat, responses", "chat", "responses calls are translated to chat")
    assert done.json["what_if"]["by_alias"][0]["alias"] == "manager"
    assert replace("gpt-5.1", "gpt-4.1", "--dry-run", "--no-whatif").json["what_if"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("gpt-5.11", "gpt-4.1"), 1, "Nothing names a model 'gpt-5.11', and it is not among the models. Did you mean"),
        (("gpt-5.1", "gpt-4.11"), 1, "'gpt-4.11' is not among the models. Did you mean gpt-4.1? A new model is added"),
        (("manager", "gpt-4.1"), 1, "manager is an alias: name the model that is to go"),
        (("gpt-5.1", "manager"), 1, "manager is an alias: name the model that is to serve"),
        (("gpt-5.1", "gpt-5.1"), 1, "gpt-5.1 can't take its own place"),
        (("gpt-5.1",), 1, "The catalogue names no replacement for gpt-5.1"),
        ((), 2, "Name the model that is to go, or give --dead or --dying"),
        (("gpt-5.1", "--dead"), 2, "--dead and --dying choose the models"),
        (("gpt-5.1", "gpt-4.1", "--only", "chains", "--project", "atlas"), 2, "--project is about overrides"),
        (("gpt-5.1", "gpt-4.1", "--project", "altas"), 1, "There is no project altas. Did you mean atlas?"),
        (("gpt-5.1", "gpt-4.1", "--only", "rungs"), 1, "'rungs': give any of defaults, overrides, chains"),
    ],
)
def test_replace__of_what_can_not_be_meant__says_what_can(arguments: tuple[str, ...], code: int, told: str) -> None:
    done = replace(*arguments, "--dry-run")
    assert (done.code, told in done.err) == (code, True), done.err


def test_replace__of_what_nothing_names__has_nothing_to_change() -> None:
    with by_ann():
        Model(model_id="spare-1", endpoints=["chat"]).save()
    done = replace("spare-1", "gpt-4.1", *WHY)
    assert (done.code, done.json["changes"], done.json["undo"]) == (0, [], None)
    assert "Nothing to change." in done.err


def ends(model: str, replacement: str = "") -> None:
    row = Model.objects.get(model_id=model)
    row.shutdown_date, row.replacement = YESTERDAY, replacement
    row.save()


def test_replace__without_a_new_model__takes_the_one_that_lives() -> None:
    with by_ann():
        Model(model_id="gpt-5.2", endpoints=["chat"], shutdown_date=YESTERDAY, replacement="gpt-4.1").save()
        ends("gpt-5.1", "gpt-5.2")
    assert replace("gpt-5.1", "--dry-run").json["replaced"] == {"gpt-5.1": "gpt-4.1"}


def test_replace__of_all_that_are_dead__takes_what_the_catalogue_names() -> None:
    with by_ann():
        ends("gpt-5.1", "gpt-4.1")
        ends("local-7")
    done = replace("--dead", *WHY)
    assert done.code == 0
    assert done.json["replaced"] == {"gpt-5.1": "gpt-4.1"}
    assert done.json["without_replacement"][0].startswith("The catalogue names no replacement for local-7 that lasts")
    assert Alias.objects.get(name="manager").default_model == "gpt-4.1"
    assert replace("--dead", "--dry-run").json["changes"] == []


def test_replace__of_all_that_are_dying__looks_ahead() -> None:
    with by_ann():
        row = Model.objects.get(model_id="gpt-5.1")
        row.shutdown_date, row.replacement = datetime.now(UTC).date() + timedelta(days=30), "gpt-4.1"
        row.save()
    assert replace("--dead", "--dry-run").json["replaced"] == {}
    assert replace("--dying", "--dry-run").json["replaced"] == {"gpt-5.1": "gpt-4.1"}
    with by_ann():
        soon = Model.objects.get(model_id="gpt-4.1")
        soon.shutdown_date, soon.replacement = datetime.now(UTC).date() + timedelta(days=60), "local-7"
        soon.save()
    done = replace("--dying", "--dry-run").json
    assert done["replaced"] == {"gpt-4.1": "local-7", "gpt-5.1": "local-7"}


def test_replace__by_vectors_of_another_space__is_refused() -> None:
    with by_ann():
        for name, space in (("small-3", "a"), ("large-3", "b")):
            Model(model_id=name, endpoints=["embeddings"], vector_space=space, dimensions=8).save()
            Price(model_id=name, valid_from=ALWAYS, input_pico=1).save()
        Alias(name="embedding", kind="embedding", default_model="small-3").save()
    before = Revision.current()
    done = replace("small-3", "large-3", *WHY)
    assert (done.code, "[vector_space_changed]" in done.err, done.json["what_if"]) == (1, True, None)
    assert {each["what"]: each["meaning"] for each in done.json["compared"]} == {
        "vectors": "vectors that are stored no longer match new ones"
    }
    assert Revision.current() == before


def test_replace__by_a_model_that_is_gone__has_to_be_acknowledged() -> None:
    with by_ann():
        ends("gpt-4.1")
    done = replace("gpt-5.1", "gpt-4.1", "--reason", "Ticket 812", "--yes", "--acknowledge", "override_same")
    assert (done.code, "--acknowledge model_retired" in done.err) == (1, True)
    assert "model_retired" in json.dumps(done.json["findings"])
