# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A small Django application. Starts, then answers as many requests as each line of standard input says, made by
django.test.Client (a template, a database query, a file), and prints how long they took as JSON."""
import json
import sys
import time

import django  # noqa: E402
from django.conf import settings  # noqa: E402

settings.configure(
    DEBUG=False, SECRET_KEY="benchmark", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402

PAGE = engines["django"].from_string(
    "<ul>{% for user in users %}<li>{{ user.username|upper }} {{ user.date_joined|date:'r' }}</li>"
    "{% endfor %}</ul>{{ text|length }}")


def show(request):
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    return HttpResponse(PAGE.render({"users": User.objects.order_by("username"), "text": text}))


urlpatterns = [path("users", show)]


def main():
    call_command("migrate", verbosity=0)
    for i in range(10):
        User.objects.create(username=f"user{i}")
    client = Client()
    assert client.get("/users").status_code == 200
    print("ready", flush=True)
    for line in sys.stdin:
        begin, cpu = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            assert client.get("/users").status_code == 200
        print(json.dumps({"wall": time.perf_counter() - begin, "cpu": time.process_time() - cpu}), flush=True)


main()
