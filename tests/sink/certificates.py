# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Certificates for the tests, by the openssl program: two authorities that do not know each other."""
import os
import subprocess


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, stdin=subprocess.DEVNULL,
                   capture_output=True)


class Authority:
    """Files ca.pem, NAME.pem and NAME.key in a directory of its own."""

    def __init__(self, directory, name):
        self.directory = os.path.join(directory, name)
        os.mkdir(self.directory)
        openssl(self.directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-days", "2", "-subj", f"/CN={name} CA", "-keyout", "ca.key", "-out", "ca.pem")
        self.ca = self.path("ca.pem")

    def path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, alternatives):
        """(certificate, key)"""
        openssl(self.directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-keyout", name + ".key", "-out", name + ".csr")
        with open(self.path(name + ".ext"), "w", encoding="ascii") as file:
            file.write(f"subjectAltName={alternatives}\n")
        openssl(self.directory, "x509", "-req", "-days", "2", "-in", name + ".csr", "-CA", "ca.pem",
                "-CAkey", "ca.key", "-CAcreateserial", "-extfile", name + ".ext", "-out", name + ".pem")
        return self.path(name + ".pem"), self.path(name + ".key")


class Certificates:
    """good and other: authorities; server is known as localhost and 127.0.0.1."""

    def __init__(self, directory):
        self.good = Authority(directory, "good")
        self.other = Authority(directory, "other")
        self.server = self.good.issue("server", "DNS:localhost,IP:127.0.0.1")
        self.misnamed = self.good.issue("misnamed", "DNS:elsewhere.example")
        self.client = self.good.issue("client", "DNS:client.example")
        self.stranger = self.other.issue("stranger", "DNS:client.example")
