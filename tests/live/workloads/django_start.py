# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Django's start: a project of one file, its checks, a database in memory, one request."""

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import path


def index(request):
    return HttpResponse("hello")


urlpatterns = [path("", index)]


def main():
    settings.configure(
        ROOT_URLCONF=__name__,
        SECRET_KEY="not one",
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    )
    django.setup()
    call_command("check")
    call_command("migrate", verbosity=0)
    assert Client().get("/").content == b"hello"


main()
