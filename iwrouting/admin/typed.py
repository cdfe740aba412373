"""Django's admin and form classes with type parameters: Django 5.2 itself takes none at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models

M = TypeVar("M", bound=models.Model)
P = TypeVar("P", bound=models.Model)

if TYPE_CHECKING:

    class TypedAdmin(admin.ModelAdmin[M]):
        """A ModelAdmin of one model."""

    class TypedInline(admin.TabularInline[M, P]):
        """A table of child rows on the page of their parent."""

    class TypedForm(forms.ModelForm[M]):
        """A form of one model."""

    class TypedPaginator(Paginator[Any]):
        """A paginator of rows."""

else:

    class TypedAdmin(admin.ModelAdmin, Generic[M]):
        """A ModelAdmin of one model."""

    class TypedInline(admin.TabularInline, Generic[M, P]):
        """A table of child rows on the page of their parent."""

    class TypedForm(forms.ModelForm, Generic[M]):
        """A form of one model."""

    class TypedPaginator(Paginator):
        """A paginator of rows."""
