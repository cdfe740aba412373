from __future__ import annotations

from django.db import migrations, models

from iwrouting.migrations._usage_marks import MarkUsage


class Migration(migrations.Migration):
    """Usage by quarter of an hour, hour and day; which environment a process decides under."""

    dependencies = [
        ("iwrouting", "0007_config_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="TelemetryMarker",
            fields=[
                ("key_id", models.CharField(max_length=16, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="UsageState",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("rolled_at", models.DateTimeField(null=True)),
                ("raw_from", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="writer",
            name="environment_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
        migrations.CreateModel(
            name="LabelCell",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("decisions", models.BigIntegerField(default=0)),
                ("calls", models.BigIntegerField(default=0)),
                ("resolves", models.BigIntegerField(default=0)),
                ("errors", models.BigIntegerField(default=0)),
                ("refused", models.BigIntegerField(default=0)),
                ("client_closed", models.BigIntegerField(default=0)),
                ("streams", models.BigIntegerField(default=0)),
                ("attempts", models.BigIntegerField(default=0)),
                ("fallbacks", models.BigIntegerField(default=0)),
                ("calls_with_fallback", models.BigIntegerField(default=0)),
                ("served_by_fallback", models.BigIntegerField(default=0)),
                ("unpriced", models.BigIntegerField(default=0)),
                ("estimated", models.BigIntegerField(default=0)),
                ("timed", models.BigIntegerField(default=0)),
                ("timed_first_byte", models.BigIntegerField(default=0)),
                ("prompt_tokens", models.BigIntegerField(null=True)),
                ("cached_tokens", models.BigIntegerField(null=True)),
                ("cache_write_tokens", models.BigIntegerField(null=True)),
                ("completion_tokens", models.BigIntegerField(null=True)),
                ("reasoning_tokens", models.BigIntegerField(null=True)),
                ("cost_pico", models.BigIntegerField(null=True)),
                ("latency_ms", models.BigIntegerField(null=True)),
                ("first_byte_ms", models.BigIntegerField(null=True)),
                ("overhead_ms", models.BigIntegerField(null=True)),
                ("width", models.PositiveSmallIntegerField()),
                ("bucket_at", models.DateTimeField()),
                ("label_kind", models.CharField(choices=[("run", "run"), ("tag", "tag")], max_length=8)),
                ("label", models.CharField(max_length=128)),
                ("project", models.CharField(blank=True, max_length=128)),
                ("is_test", models.BooleanField()),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["width", "label_kind", "bucket_at"], name="iw_labelcell_bucket")],
            },
        ),
        migrations.CreateModel(
            name="UsageCell",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("decisions", models.BigIntegerField(default=0)),
                ("calls", models.BigIntegerField(default=0)),
                ("resolves", models.BigIntegerField(default=0)),
                ("errors", models.BigIntegerField(default=0)),
                ("refused", models.BigIntegerField(default=0)),
                ("client_closed", models.BigIntegerField(default=0)),
                ("streams", models.BigIntegerField(default=0)),
                ("attempts", models.BigIntegerField(default=0)),
                ("fallbacks", models.BigIntegerField(default=0)),
                ("calls_with_fallback", models.BigIntegerField(default=0)),
                ("served_by_fallback", models.BigIntegerField(default=0)),
                ("unpriced", models.BigIntegerField(default=0)),
                ("estimated", models.BigIntegerField(default=0)),
                ("timed", models.BigIntegerField(default=0)),
                ("timed_first_byte", models.BigIntegerField(default=0)),
                ("prompt_tokens", models.BigIntegerField(null=True)),
                ("cached_tokens", models.BigIntegerField(null=True)),
                ("cache_write_tokens", models.BigIntegerField(null=True)),
                ("completion_tokens", models.BigIntegerField(null=True)),
                ("reasoning_tokens", models.BigIntegerField(null=True)),
                ("cost_pico", models.BigIntegerField(null=True)),
                ("latency_ms", models.BigIntegerField(null=True)),
                ("first_byte_ms", models.BigIntegerField(null=True)),
                ("overhead_ms", models.BigIntegerField(null=True)),
                ("width", models.PositiveSmallIntegerField()),
                ("bucket_at", models.DateTimeField()),
                ("project", models.CharField(blank=True, max_length=128)),
                ("alias", models.CharField(blank=True, max_length=64)),
                ("kind", models.CharField(blank=True, max_length=16)),
                ("inferred_mode", models.CharField(blank=True, max_length=64)),
                ("rule", models.CharField(blank=True, max_length=64)),
                ("model_served", models.CharField(blank=True, max_length=256)),
                ("upstream", models.CharField(blank=True, max_length=64)),
                ("source", models.CharField(blank=True, max_length=20)),
                ("key_id", models.CharField(blank=True, max_length=16)),
                ("endpoint", models.CharField(max_length=16)),
                ("is_test", models.BooleanField()),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["width", "bucket_at"], name="iw_usagecell_bucket")],
            },
        ),
        migrations.CreateModel(
            name="UsageMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bucket_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["bucket_at"], name="iw_usagemark_bucket")],
            },
        ),
        MarkUsage("iwrouting_decision", "iwrouting_attempt", "iwrouting_outcome"),
    ]
