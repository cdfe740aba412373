"""Every change is validated before its commit, whatever its way: faults refuse it, findings are asked for or noted.

The rows F1 to F12 of the list of faults, through the one call; the forms' own tests stand with the admin's.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, models
from django.utils import timezone

from iwrouting.models import Alias, Change, Model, OpenChange, Override, Price, Project, Revision, Upstream, change
from iwrouting.planning import ChangeRefused, apply_plan, plan_between, plan_now, rehearse
from iwrouting.snapshot import load
from iwrouting.snapshot.contents import contents_at, contents_now
from iwrouting.types import ALWAYS, Operation, Via
from tests.harness.changes import BY, account
from tests.snapshot.malformed import spoil

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]

EMBEDS = ["embeddings"]


def by_ann(**more: Any) -> AbstractContextManager[OpenChange]:
    return change(**{"author": "ann", "via": Via.CLI, "reason": "A test of validation", **more})


def saved(*rows: models.Model, **more: Any) -> OpenChange:
    with by_ann(**more) as made:
        for row in rows:
            row.save()
    return made


def price(model: str, **fields: Any) -> Price:
    return Price(**{"model_id": model, "input_pico": 1, "output_pico": 1, "valid_from": ALWAYS, **fields})


@pytest.fixture(autouse=True)
def world(strict_changes: None) -> None:
    """A sound configuration, each model with a price."""
    chat = [Model(model_id=name, endpoints=["chat", "responses"]) for name in ("gpt-4.1", "gpt-5.1", "gpt-mini")]
    spaces = {"small": "small", "large": "large", "nameless": ""}
    vectors = [Model(model_id=name, endpoints=EMBEDS, vector_space=space) for name, space in spaces.items()]
    codex = Model(model_id="codex", endpoints=["responses"], refused_params=["logprobs"])
    made = saved(
        *chat,
        *vectors,
        codex,
        *(price(row.model_id) for row in (*chat, *vectors, codex)),
        Alias(name="auto", kind="chat_mode", default_model="gpt-4.1", chain=["fast"]),
        Alias(name="fast", kind="chat_mode", default_model="gpt-mini", chain=["auto"]),
        Alias(name="code", kind="chat_mode", default_model="gpt-5.1", variable="OPENAI_MODEL_CODE", chain=["auto"]),
        Alias(name="embedding", kind="embedding", default_model="small"),
        Project(slug="atlas", external_id="ws-atlas"),
    )
    assert made.findings == ()


def alias(name: str = "code", **fields: Any) -> Alias:
    row = Alias.objects.get(name=name)
    for field, value in fields.items():
        setattr(row, field, value)
    return row


def override(name: str = "code", model: str = "gpt-mini", **fields: Any) -> Override:
    return Override(alias=Alias.objects.get(name=name), model=model, **fields)


def switched(model: str) -> Model:
    row = Model.objects.get(model_id=model)
    row.enabled = False
    return row


def told(*rows: models.Model, **more: Any) -> str:
    """What refuses these rows; they left nothing behind."""
    before = Revision.current(), contents_now()
    with pytest.raises(ChangeRefused) as caught:
        saved(*rows, **more)
    assert (Revision.current(), contents_now()) == before
    return "\n".join(caught.value.messages)


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        (["auto", "code"], "alias code: The chain of code names code itself (code -> auto -> code): a cycle. Remove it."
                           " [chain_cycle]"),
        (["auto", "auto"], "names auto twice (code -> auto -> auto)"),
        (["auto", "fast", "gpt-4.1", "gpt-mini", "codex", "gpt-5.1"], "has 6 rungs (code -> auto -> fast -> "),
        (["atuo"], "atuo is neither an alias nor a model of the catalogue (code -> atuo). Did you mean auto?"),
        (["small"], "small makes embeddings only"),
        (["embedding"], "embedding is an embedding alias and can't answer a chat"),
        ("auto", 'Enter a JSON list of names such as ["auto", "fast"]. [invalid]'),
    ],
)  # fmt: skip
def test_f1_chain__that_can_not_work__is_refused_with_its_path(chain: Any, words: str) -> None:
    assert words in told(alias(chain=chain))


def test_f1_aliases__that_fall_back_to_each_other__pass() -> None:
    assert (alias("auto").chain, alias("fast").chain) == (["fast"], ["auto"])
    assert saved(alias("auto", purpose="told better")).findings == ()


def test_f2_model_in_use__may_not_go_and_its_users_are_listed() -> None:
    saved(alias(chain=["gpt-mini"]), override(model="gpt-mini"))
    with pytest.raises(ChangeRefused) as caught, by_ann():
        Model.objects.get(model_id="gpt-mini").delete()
    text = "\n".join(caught.value.messages)
    assert "default of the alias fast; rung 1 of the alias code; override of the alias code for all projects" in text


def test_f2_alias_that_is_a_rung__may_not_go() -> None:
    words = "The alias fast is a rung of auto: take it out of their chains first"
    with pytest.raises(ChangeRefused, match=words), by_ann():
        Alias.objects.get(name="fast").delete()
    with by_ann():
        Alias.objects.get(name="code").delete()


def test_f2_model_and_who_names_it__may_go_in_one_change() -> None:
    with by_ann():
        Model.objects.get(model_id="gpt-5.1").delete()
        alias(default_model="gpt-4.1").save()
    assert not Model.objects.filter(model_id="gpt-5.1").exists()


def test_f2_kill_switch__can_be_turned_and_tells_who_falls_back_to_what() -> None:
    made = saved(switched("gpt-5.1"))
    (finding,) = made.findings
    assert finding.told() == ("model gpt-5.1: gpt-5.1 is switched off: gpt-4.1 (auto) serves code. [switched_off]")


def test_f2_switched_off_model__is_refused_where_it_is_newly_named_and_nowhere_else() -> None:
    saved(switched("gpt-5.1"))
    assert "gpt-5.1 is switched off, and is named as a rung of fast" in told(alias("fast", chain=["gpt-5.1"]))
    assert "the override of auto for all projects: name another, or enable it first." in told(
        override("auto", "gpt-5.1")
    )
    saved(override("auto", "gpt-5.1", enabled=False))
    assert "is switched off" in told(*(_enabled(row) for row in Override.objects.all()))
    saved(alias("code", purpose="its default is switched off, and it may be edited"))
    assert "keep it disabled" in _deleted("gpt-5.1").lower()


def _enabled(row: Override) -> Override:
    row.enabled = True
    return row


def _deleted(model: str) -> str:
    with pytest.raises(ChangeRefused) as caught, by_ann():
        Model.objects.get(model_id=model).delete()
    return "\n".join(caught.value.messages)


def test_f3_responses_only_model__on_chats__is_told_where_it_refuses_parameters() -> None:
    made = saved(override(model="codex"))
    assert [(each.code, each.name) for each in made.findings] == [("responses_only", "code for all projects")]
    assert "lose what it refuses (logprobs)" in made.findings[0].message


@pytest.mark.parametrize("way", ["default", "override", "override of one project", "scheduled"])
def test_f4_embedding_alias__keeps_to_its_vectors(way: str) -> None:
    starts = timezone.now() + timedelta(days=1)
    fields: dict[str, Any] = {"scheduled": {"starts_at": starts}}.get(way, {})
    if way == "override of one project":
        fields = {"project": Project.objects.get()}

    def row(model: str) -> models.Model:
        named = alias("embedding", default_model=model)
        return named if way == "default" else override("embedding", model, **fields)

    assert "large makes other vectors (space large, width not known) than small" in told(row("large"))
    assert "gpt-4.1 makes no embeddings" in told(row("gpt-4.1"))
    assert [each.code for each in saved(row("nameless")).findings] == ["vector_space_unknown"]


def test_f4_embedding_alias__has_no_chain() -> None:
    assert "An embedding alias has no chain" in told(alias("embedding", chain=["fast"]))


def test_f5_chain__whose_rung_takes_less__is_told() -> None:
    wide, narrow = (Model.objects.get(model_id=name) for name in ("gpt-5.1", "gpt-4.1"))
    wide.context_window, narrow.context_window = 400_000, 8_000
    assert [each.code for each in saved(wide, narrow).findings] == ["chain_mixes_windows"]
    narrow.refused_params, wide.input_modalities, narrow.input_modalities = ["function_tools"], ["image"], ["text"]
    codes = {(each.code, each.name) for each in saved(wide, narrow).findings}
    assert codes == {("chain_mixes_tools", "code"), ("chain_mixes_tools", "fast"), ("chain_mixes_vision", "code")}


def test_f6_variable__that_an_override_shadows__is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iwrouting.conf.environment.variables", lambda: {"OPENAI_MODEL_CODE": "gpt-4.1"})
    assert [each.code for each in saved(override()).findings] == ["override_shadows_environment"]
    monkeypatch.setattr("iwrouting.conf.environment.variables", lambda: {"OPENAI_MODEL_AUTO": "  "})
    made = saved(alias("auto", variable="OPENAI_MODEL_AUTO"))
    assert [each.code for each in made.findings] == ["environment_blank"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"default_model": ""}, "This field cannot be blank. [invalid]"),
        ({"default_model": "a model"}, "Enter a model id such as gpt-4.1"),
        ({"default_model": " "}, "Enter a model id such as gpt-4.1"),
        ({"chain": {"fast": 1}}, "Enter a JSON list of names"),
        ({"chain": [""]}, "Enter a JSON list of names"),
        ({"deadline_s": -1.0}, "greater than or equal to 0.1"),
        ({"variable": "PATH"}, "an alias may read no other variable"),
    ],
)
def test_f7_value__that_is_empty_or_of_another_form__is_refused(row: dict[str, Any], words: str) -> None:
    assert words in told(alias(**row))


def test_f7_blank_override__found_in_the_database__counts_as_not_set() -> None:
    saved(override())
    spoil("override", "model", " ")
    account()
    config = load()
    assert config.overrides[None, "code"].model == " "
    assert "override code for all projects: model: Enter a model id such as gpt-4.1" in told(*Override.objects.all())


def test_f9_price__that_can_not_be__is_refused() -> None:
    future = timezone.now() + timedelta(days=1)
    saved(price("gpt-4.1", valid_from=future))
    with pytest.raises(IntegrityError), by_ann():
        price("gpt-4.1", valid_from=future).save()
    with pytest.raises(IntegrityError), by_ann():
        price("gpt-4.1", valid_from=future + timedelta(days=1), output_pico=-1).save()
    assert "less than or equal to 1000000000000" in told(price("gpt-5.1", valid_from=future, output_pico=10**13))


def test_f9_model_without_a_price_in_force__is_told() -> None:
    saved(Model(model_id="gpt-new", endpoints=["chat"]), Model(model_id="gpt-next", endpoints=["chat"]))
    saved(price("gpt-next", valid_from=timezone.now() + timedelta(days=1)))
    assert [each.code for each in saved(alias(default_model="gpt-new")).findings] == ["price_missing"]
    assert [each.code for each in saved(alias(default_model="gpt-next")).findings] == ["price_future"]


@pytest.mark.parametrize("url", ["http://169.254.169.254/v1", "http://10.0.0.1/v1", "ftp://far.example/v1"])
def test_f10_upstream__at_a_private_address__is_refused(url: str) -> None:
    assert "[invalid]" in told(Upstream(slug="far", base_url=url))
    assert not Upstream.objects.exists()


def fixture(path: Path, *rows: models.Model) -> str:
    """A file as `dumpdata` writes it."""
    file = path / "rows.json"
    data = [
        {
            "model": row._meta.label_lower,
            "fields": {
                field.name: field.value_to_string(row) if isinstance(field, models.DateTimeField) else value
                for field in row._meta.concrete_fields
                if not field.primary_key and (value := field.value_from_object(row)) is not None
            },
        }
        for row in rows
    ]
    file.write_text(json.dumps(data))
    return str(file)


def test_f11_import__that_is_half_valid__leaves_nothing(tmp_path: Path) -> None:
    now = timezone.now()
    good = Project(slug="borea", created_at=now, updated_at=now)
    bad = Alias(name="deep", kind="chat_mode", default_model="gpt-5.1", chain=["deep"], created_at=now, updated_at=now)
    file = fixture(tmp_path, good, bad)
    with pytest.raises(ChangeRefused, match="deep -> deep"), by_ann(via=Via.IMPORT):
        call_command("loaddata", file, verbosity=0)
    assert not Project.objects.filter(slug="borea").exists()
    bad.chain = ["auto"]
    with by_ann(via=Via.IMPORT):
        call_command("loaddata", fixture(tmp_path, good, bad), verbosity=0)
    assert Alias.objects.get(name="deep").chain == ["auto"]


def test_f12_rollback__is_a_change_of_its_own_and_is_validated() -> None:
    good = Revision.current()
    saved(alias(chain=["fast"]), override())
    plan = plan_between(contents_now(), contents_at(good), Revision.current())
    with by_ann(reason="Back to before the try") as made:
        apply_plan(plan, made)
    assert contents_at(made.revision)["alias"] == contents_at(good)["alias"]
    assert not Override.objects.exists()
    assert Change.objects.get(revision=made.revision).reason == "Back to before the try"
    saved(switched("gpt-5.1"))
    killed = Revision.current()
    saved(alias(default_model="gpt-4.1"))
    plan = plan_between(contents_now(), contents_at(killed), Revision.current())
    assert [each.code for each in rehearse(plan).structural] == ["model_disabled"]


def test_refusal__names_every_fault_at_once() -> None:
    text = told(alias(chain=["nosuch", "code"]), override("fast", "small"))
    assert [code for code in ("[chain_cycle]", "[rung_unknown]", "[wrong_kind]") if code not in text] == []


def test_finding__that_was_to_be_acknowledged__refuses_until_it_is() -> None:
    with pytest.raises(ChangeRefused) as caught:
        saved(alias(default_model="nobody-knows"), acknowledged=())
    assert (caught.value.faults, [each.code for each in caught.value.findings]) == (
        (),
        ["model_unverified", "price_missing"],
    )
    assert "Acknowledge it by model_unverified, or change it." in caught.value.messages[0]
    assert alias().default_model == "gpt-5.1"
    keys = [each.key for each in caught.value.findings]
    with pytest.raises(ChangeRefused, match="price_missing"):
        saved(alias(default_model="nobody-knows"), acknowledged=keys[:1])
    made = saved(alias(default_model="nobody-knows"), acknowledged=[keys[0], "price_missing"])
    assert _noted(made) == [("model_unverified", True), ("price_missing", True)]
    assert saved(alias(purpose="told better"), acknowledged=()).findings == ()


def _noted(made: OpenChange) -> list[tuple[str, bool]]:
    details = json.loads(Change.objects.get(revision=made.revision).details)
    return [(each["code"], each["acknowledged"]) for each in details.get("findings", ())]


def test_way_without_a_person__notes_its_findings_and_goes_on() -> None:
    made = saved(alias(default_model="nobody-knows"), via=Via.UPGRADE)
    assert _noted(made) == [("model_unverified", False), ("price_missing", False)]


def test_rehearsal__tells_faults_and_findings_and_leaves_nothing() -> None:
    before = contents_now()
    content = {**before["alias"][alias().pk], "default_model": "nobody-knows"}
    tried = rehearse(plan_now({"alias": {"code": content}}))
    assert (tried.faults, [each.code for each in tried.findings]) == ((), ["model_unverified", "price_missing"])
    tried = rehearse(plan_now({"alias": {"code": {**content, "chain": ["code"]}}}))
    assert [(each.code, each.field) for each in tried.structural] == [("chain_cycle", "chain")]
    assert contents_now() == before


def test_row__that_was_wrong_as_a_whole_before__may_be_changed_in_another_column() -> None:
    row = Model.objects.get(model_id="gpt-4.1")
    row.endpoints = ["chat", "embeddings"]
    saved(row, author=BY)
    row.source = "an upgrade learned something"
    assert saved(row).rows[0].name == "gpt-4.1"
    row.endpoints = ["chat", "video"]
    assert "Choose at least one of chat, embeddings, responses. [invalid]" in told(row)


def test_old_fault__stops_no_other_change_and_no_switch() -> None:
    spoil("alias", "chain", '["nosuch"]')
    account()
    assert saved(Project(slug="borea")).rows[0].operation == Operation.CREATE
    saved(switched("gpt-5.1"))
    assert "nosuch is neither an alias nor a model" in told(alias(purpose="told better"))
