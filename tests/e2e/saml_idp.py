"""SimpleSAMLphp as a SAML provider, headless: Debian's package under PHP's own server, and
a browser that logs in."""
import base64
import html
import http.client
import http.cookiejar
import pathlib
import re
import secrets
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import harness

WWW = "/usr/share/simplesamlphp/www"

CONFIG = """<?php
$config = [
    'baseurlpath' => '%(url)s/', 'secretsalt' => '%(salt)s', 'auth.adminpassword' => '%(salt)s',
    'technicalcontact_email' => 'na@example.org', 'timezone' => 'UTC',
    'certdir' => '%(dir)s/cert/', 'loggingdir' => '%(dir)s/log/', 'datadir' => '%(dir)s/data/',
    'tempdir' => '%(dir)s/tmp', 'metadatadir' => '%(dir)s/metadata',
    'logging.handler' => 'file', 'logging.level' => 4, 'errorreporting' => false, 'showerrors' => true,
    'enable.saml20-idp' => true, 'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'session.cookie.secure' => false, 'session.phpsession.savepath' => '%(dir)s/session',
    'store.type' => 'phpsession', 'metadata.sources' => [['type' => 'flatfile']],
];
"""
AUTHSOURCES = """<?php
$config = ['example-userpass' => ['exampleauth:UserPass',
    'alice:secret' => ['uid' => ['alice'], 'mail' => ['alice@example.org']],
    'bob:secret' => ['uid' => ['bob'], 'mail' => ['bob@elsewhere.example']]]];
"""
HOSTED = """<?php
$metadata['%(entity)s'] = ['host' => '__DEFAULT__', 'privatekey' => 'idp.pem', 'certificate' => 'idp.crt',
    'auth' => 'example-userpass', 'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'metadata.sign.enable' => true, 'metadata.sign.privatekey' => 'idp.pem', 'metadata.sign.certificate' => 'idp.crt',
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic'];
"""
REMOTE = """<?php
$metadata['%(sp)s'] = ['AssertionConsumerService' => '%(acs)s',
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:%(format)s', 'saml20.sign.response' => %(response)s,
    'saml20.sign.assertion' => %(assertion)s, 'simplesaml.nameidattribute' => 'uid',
    'authproc' => [3 => ['class' => 'saml:AttributeNameID', 'attribute' => 'uid',
        'Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:%(format)s']]];
"""


def certificate(folder, name):
    harness.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=idp", "-days", "2",
                "-keyout", folder / f"{name}.pem", "-out", folder / f"{name}.crt")


class SimpleSaml:
    """The provider, for one service; folder is emptied by whoever made it."""

    def __init__(self, folder, sp, acs):
        self.folder = pathlib.Path(folder)
        self.port = harness.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.entity = f"{self.url}/saml2/idp/metadata.php"
        self.sp, self.acs = sp, acs
        for name in ("cert", "log", "data", "tmp", "metadata", "session"):
            (self.folder / name).mkdir(parents=True)
        certificate(self.folder / "cert", "idp")
        self.write()
        self.start()

    def write(self, **changes):
        """Its configuration; format, response and assertion may differ."""
        values = {"url": self.url, "dir": self.folder, "salt": secrets.token_hex(16), "entity": self.entity,
                  "sp": self.sp, "acs": self.acs, "format": "persistent", "response": "true", "assertion": "true",
                  **changes}
        for name, text in (("config.php", CONFIG), ("authsources.php", AUTHSOURCES),
                           ("metadata/saml20-idp-hosted.php", HOSTED), ("metadata/saml20-sp-remote.php", REMOTE)):
            (self.folder / name).write_text(text % values)

    def start(self):
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                ["php", "-d", "error_reporting=0", "-d", "opcache.enable=0", "-S", f"127.0.0.1:{self.port}", "-t", WWW],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**harness.os.environ, "SIMPLESAMLPHP_CONFIG_DIR": str(self.folder)})
        harness.wait_until(self.metadata_or_none, "SimpleSAMLphp to serve")

    def metadata_or_none(self):
        try:
            return self.metadata()
        except (OSError, http.client.HTTPException):
            return None

    def metadata(self):
        """As it publishes them, signed."""
        with urllib.request.urlopen(self.entity, timeout=harness.PATIENCE_S) as answer:
            return answer.read()

    def close(self):
        self.process.kill()
        self.process.wait()

    def log_in(self, user):
        """What a browser is given to post to the service: base64 of a Response."""
        browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        start = f"{self.url}/saml2/idp/SSOService.php?" + urllib.parse.urlencode({"spentityid": self.sp})
        with browser.open(start, timeout=harness.PATIENCE_S) as answer:
            page, at = answer.read().decode(), answer.url
        state = re.search(r'name="AuthState" value="([^"]*)"', page)
        if not state:
            raise AssertionError(f"no login page:\n{page[:4000]}")
        form = {"AuthState": html.unescape(state.group(1)), "username": user, "password": "secret"}
        with browser.open(at, urllib.parse.urlencode(form).encode(), timeout=harness.PATIENCE_S) as answer:
            page = answer.read().decode()
        action = re.search(r'<form[^>]*action="([^"]*)"', page)
        response = re.search(r'name="SAMLResponse" value="([^"]*)"', page)
        if not response or html.unescape(action.group(1)) != self.acs:
            raise AssertionError(f"no Response:\n{page[:4000]}")
        return html.unescape(response.group(1))
