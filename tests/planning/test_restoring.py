"""One row, or the whole configuration, as it was under a revision: planned, previewed, applied, or stopped by name."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from iwrouting.models import Alias, ApiKey, Change, HistoryRow, Model, Override, Price, Project, Revision, Upstream
from iwrouting.planning import StalePlan, rehearse
from iwrouting.planning.restoring import NoSuchObject, Restoration, apply_restoration, plan_restore
from iwrouting.snapshot.contents import NoSuchRevision, contents_at, contents_now
from tests.planning.cast import LATER, by_ann, fill, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("strict_changes")]


def rows(restoration: Restoration) -> set[tuple[str, str]]:
    return {(row.operation.value, row.name) for row in restoration.plan.changes}


def apply(restoration: Restoration) -> int:
    with by_ann() as made:
        apply_restoration(restoration, made)
    return made.revision


def edit() -> None:
    """One row changed, one deleted, one made."""
    with by_ann():
        alias = Alias.objects.get(name="manager")
        alias.default_model = "gpt-4.1"
        alias.save()
        Override.objects.get(project__slug="atlas").delete()
        Alias(name="deep", kind="chat_mode", default_model="gpt-5.1", chain=["fast"]).save()


def test_whole__after_edits__is_what_it_was__in_a_new_revision() -> None:
    revision = fill()
    before = contents_now()
    edit()
    restoration = plan_restore(revision)
    assert rows(restoration) == {("change", "manager"), ("create", "manager for atlas"), ("delete", "deep")}
    assert (restoration.faults, restoration.kept, rehearse(restoration.plan).faults) == ((), (), ())
    made = apply(restoration)
    assert contents_now() == contents_at(made) == before
    assert made == revision + 2 == Revision.current()
    assert json.loads(Change.objects.get(revision=made).details)["restored"] == revision
    assert plan_restore(revision).plan.changes == ()


def test_a_deleted_row__comes_back_under_its_own_key() -> None:
    revision = fill()
    pk = Override.objects.get(project__slug="atlas").pk
    edit()
    apply(plan_restore(revision, [("override", "manager for atlas")]))
    assert Override.objects.get(project__slug="atlas").pk == pk
    assert [row.operation for row in HistoryRow.objects.filter(object_type="override", object_id=pk)] == [
        "create",
        "delete",
        "create",
    ]
    assert Alias.objects.filter(name="deep").exists()


def test_a_row_that_was_made_again__stays_the_new_row_with_the_old_content() -> None:
    revision = fill()
    edit()
    with by_ann():
        alias, project = Alias.objects.get(name="manager"), Project.objects.get(slug="atlas")
        Override(alias=alias, project=project, model="gpt-5.1").save()
    again = Override.objects.get(project__slug="atlas")
    restoration = plan_restore(revision, [("override", "manager for atlas")])
    assert rows(restoration) == {("change", "manager for atlas")}
    apply(restoration)
    again.refresh_from_db()
    assert (again.model, again.expires_at) == ("local-7", LATER)


def test_a_key__stays_out_of_the_whole__and_revoked_on_its_own() -> None:
    revision = fill()
    with by_ann():
        key = ApiKey.objects.get()
        key.revoked_at, key.name, key.scopes = timezone.now(), "other", ["resolve"]
        key.save()
    assert plan_restore(revision).plan.changes == ()
    [row] = plan_restore(revision, [("key", key.key_id)]).plan.changes
    assert row.changed.keys() == {"name", "scopes"}
    with by_ann():
        key.delete()
    with pytest.raises(NoSuchObject, match="a key that is gone stays gone"):
        plan_restore(revision, [("key", key.key_id)])


def test_what_must_stay__is_told() -> None:
    revision = fill()
    with by_ann():
        price = Price.objects.get(valid_from=LATER)
        price.valid_from = timezone.now()
        price.save()
        Price(model_id="gpt-5.1", valid_from=timezone.now(), input_pico=1).save()
        Model(model_id="off-1", endpoints=["chat"], enabled=False).save()
        new = Project(slug="cetus")
        new.save()
        ApiKey(key_id="0" * 10, sha256="0" * 64, name="k", project=new).save()
    kept = {(each.object_type, each.name.split()[0], each.why.split(":")[0]) for each in plan_restore(revision).kept}
    assert kept == {
        ("price", "gpt-4.1", "It is or was in force, and costs were made with it"),
        ("price", "gpt-5.1", "It is or was in force, and costs were made with it"),
        ("model", "off-1", "It is switched off"),
        ("project", "cetus", "One API key is for it"),
    }


def test_a_base_url_that_comes_back__comes_without_its_secret_reference() -> None:
    revision = fill()
    with by_ann():
        upstream = Upstream.objects.get()
        upstream.base_url, upstream.secret_ref = "https://new.provider.example/v1", "env:IW_UPSTREAM_NEW"
        upstream.save()
    apply(plan_restore(revision, [("upstream", "eu")]))
    assert Upstream.objects.get().secret_ref == "env:IW_UPSTREAM_EU"
    with by_ann():
        upstream = Upstream.objects.get()
        upstream.base_url = "https://other.provider.example/v1"
        upstream.save()
    with by_ann():
        upstream.secret_ref = "env:IW_UPSTREAM_EU"
        upstream.save()
    restoration = plan_restore(revision, [("upstream", "eu")])
    assert restoration.kept[0].why.startswith("Its secret reference is cleared")
    apply(restoration)
    upstream.refresh_from_db()
    assert (upstream.base_url, upstream.secret_ref) == ("https://eu.provider.example/v1", "")


def test_references_to_what_is_gone__are_named_and_stop_it() -> None:
    revision = fill()
    with by_ann():
        Override.objects.all().delete()
    with by_ann():
        manager = Alias.objects.get(name="manager")
        manager.default_model, manager.chain = "gpt-4.1", []
        manager.save()
        Project.objects.get(slug="boreas").delete()
        Model.objects.get(model_id="local-7").delete()
        Model.objects.get(model_id="gpt-5.1").delete()
        Alias.objects.get(name="fast").delete()
    gone = plan_restore(revision, [("override", "manager for all projects"), ("alias", "manager")])
    assert gone.faults == (
        "The alias manager names the model gpt-5.1 (default_model), which is gone: restore that too, or choose another "
        "revision.",
        "The alias manager names the alias fast (chain), which is gone: restore that too, or choose another revision.",
        "The override manager for all projects names the model local-7 (model), which is gone: restore that too, or "
        "choose another revision.",
    )
    before = stored()
    with pytest.raises(ValidationError, match="which is gone"):
        apply(gone)
    assert stored() == before
    whole = [("alias", "fast"), ("alias", "manager"), ("model", "gpt-5.1"), ("model", "local-7")]
    assert plan_restore(revision, [*whole, ("override", "manager for all projects")]).faults == ()


def test_a_row_that_another_names__is_named_when_that_is_gone() -> None:
    revision = fill()
    with by_ann():
        Alias.objects.get(name="manager").delete()
    restoration = plan_restore(revision, [("override", "manager for atlas")])
    assert restoration.faults == ("The override manager for atlas names the alias manager, which is not there.",)


def test_what_never_was__is_named() -> None:
    revision = fill()
    with pytest.raises(NoSuchObject, match=f"no alias manger, and there was none under revision {revision}"):
        plan_restore(revision, [("alias", "manger")])
    with pytest.raises(NoSuchObject, match="no kind of objects called role: there are upstream, project,"):
        plan_restore(revision, [("role", "manager")])
    with pytest.raises(NoSuchRevision, match=f"no revision {revision + 1}"):
        plan_restore(revision + 1)


def test_a_plan_that_is_stale__is_refused() -> None:
    revision = fill()
    edit()
    restoration = plan_restore(revision)
    with by_ann():
        Alias.objects.get(name="deep").delete()
    with pytest.raises(StalePlan, match=rf"revision {revision + 1} -> {revision + 2}\). Plan again"):
        apply(restoration)
