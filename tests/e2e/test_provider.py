#!/usr/bin/env python3
"""Providers that are found by OpenID discovery: their keys come, change, are late, or
do not come."""
import json
import threading
import time
import unittest

import idtoken
from authority import FoundProvider
from harness import PATIENCE_S, Device, Mesh, main, wait_until

FLOOR_S = 10  # between two fetches of one provider's keys
DOWN = ("temporarily_unavailable", "The identity provider's keys cannot be fetched; try again later.")
CONFIGURATION = "/.well-known/openid-configuration"
JSON = {"Content-Type": "application/json"}


class Discovery(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh(start=False)
        self.addCleanup(self.mesh.close)
        self.provider = FoundProvider(self.mesh.folder)
        self.addCleanup(self.provider.close)
        self.device = Device(self.mesh.folder)
        self.mesh.secrets.add(self.device.secret)

    def start(self, **limits):
        self.mesh.configure(providers=[self.provider.group(), self.mesh.demo_provider()], limits=limits or {"threads": 2})
        self.mesh.start()

    def login(self, **claims):
        return self.mesh.exchange(self.provider.sign(**claims), self.device)

    def test_what_clients_find(self):
        """RFC 8414: what is true of the service, and whom people can log in with."""
        self.provider.group = lambda: {**FoundProvider.group(self.provider), "scopes": ["email"],
                                       "client_ids": ["web", "app"], "login_client_id": "app"}
        self.start()
        answer = self.mesh.request("GET", "/.well-known/oauth-authorization-server")
        self.assertEqual((answer.status, answer.headers["Cache-Control"]), (200, "public, max-age=300"))
        found = answer.json
        self.assertEqual((found["issuer"], found["token_endpoint"]), (self.mesh.url, self.mesh.url + "/v1/token"))
        self.assertEqual(found["meshauth_login_providers"], [
            {"name": "found", "kind": "oidc", "issuer": self.provider.issuer, "client_id": "app",
             "scopes": ["openid", "email"]},
            {"name": "demo", "kind": "demo", "issuer": self.mesh.url + "/demo-idp", "client_id": "meshauth",
             "scopes": ["openid"]}])

    def test_keys_are_fetched_once(self):
        self.start()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.login())) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual([a.status for a in answers], [200] * 6)
        self.assertEqual(self.provider.asked.count("/keys"), 1)

    def wait_for_keys(self, logins):
        """Logins that wait for the provider's keys: where their answers go, and their threads."""
        self.provider.delay_s = 1.5
        self.start()
        forms = [self.mesh.form(self.provider.sign()) for _ in range(logins)]
        sent, answers = threading.Semaphore(0), []
        threads = [threading.Thread(target=lambda f=f: answers.append(self.mesh.post(f, self.device, sent=sent.release)))
                   for f in forms]
        for t in threads:
            t.start()
            self.addCleanup(t.join)
        for _ in threads:
            self.assertTrue(sent.acquire(timeout=PATIENCE_S))
        time.sleep(0.2)
        self.assertEqual((answers, self.provider.asked), ([], [CONFIGURATION]))
        return answers, threads

    def test_a_slow_provider_holds_nobody_else_up(self):
        late, threads = self.wait_for_keys(4)
        self.mesh.login("alice", self.device)
        self.assertTrue(self.mesh.healthy())
        self.assertEqual(late, [])
        for t in threads:
            t.join()
        self.assertEqual([a.status for a in late], [200] * 4)

    def test_sigterm_lets_a_waiting_login_end(self):
        late, threads = self.wait_for_keys(1)
        self.mesh.stop()
        threads[0].join(PATIENCE_S)
        self.assertEqual([a.status for a in late], [200])
        self.assertEqual(late[0].headers["Connection"].lower(), "close")

    def test_a_key_that_came_later(self):
        self.start()
        self.assertEqual(self.login().status, 200)
        self.provider.key = idtoken.Key(self.mesh.folder, "second")
        started = time.monotonic()
        refused = 0
        while True:
            answer = self.login()
            if answer.status == 200 or time.monotonic() - started > FLOOR_S + PATIENCE_S:
                break
            self.assertEqual((answer.status, self.mesh.log_of(answer)["reason"]), (400, "token-key"))
            refused += 1
            time.sleep(0.25)
        self.assertEqual(answer.status, 200)
        # However many tokens named the unknown key, the provider was asked once more.
        self.assertGreater(refused, 3)
        self.assertEqual(self.provider.asked.count("/keys"), 2)

    def refused(self, answers):
        self.provider.answers = answers
        self.start()
        answer = self.login()
        self.assertEqual((answer.status, answer.json["error"], answer.json["error_description"]), (503, *DOWN))
        self.assertEqual(self.mesh.log_of(answer)["reason"], "provider-down")
        self.assertTrue(int(answer.headers["Retry-After"]) > 0)
        # And the others can log in.
        self.mesh.login("alice", self.device)

    def found(self, **changes):
        status, headers, body = self.provider.answer(CONFIGURATION)
        return status, headers, json.dumps({**json.loads(body), **changes}).encode()

    def test_discovery_of_another_issuer(self):
        self.refused({CONFIGURATION: self.found(issuer="https://127.0.0.1:1")})
        self.assertNotIn("/keys", self.provider.asked)

    def test_keys_by_plain_http(self):
        self.refused({CONFIGURATION: self.found(jwks_uri=self.provider.issuer.replace("https", "http") + "/keys")})

    def test_keys_from_a_file(self):
        self.refused({CONFIGURATION: self.found(jwks_uri="file:///etc/hostname")})

    def test_a_redirect(self):
        self.refused({"/keys": (302, {"Location": self.provider.issuer + "/elsewhere"}, b"")})
        self.assertNotIn("/elsewhere", self.provider.asked)

    def test_no_json(self):
        self.refused({"/keys": (200, JSON, b"<html>")})

    def test_an_error(self):
        self.refused({"/keys": (500, JSON, json.dumps({"keys": [self.provider.key.jwk]}).encode())})

    def test_too_much(self):
        body = json.dumps({"keys": [self.provider.key.jwk], "pad": "x" * (2 << 20)}).encode()
        self.refused({"/keys": (200, JSON, body)})

    def test_a_private_key(self):
        jwk = {**self.provider.key.jwk, "d": self.provider.key.jwk["x"]}
        self.refused({"/keys": (200, JSON, json.dumps({"keys": [jwk]}).encode())})

    def test_an_authority_that_is_not_the_configured_one(self):
        self.provider.group = lambda: {**FoundProvider.group(self.provider), "ca_file": "tls.crt"}
        self.refused({})
        self.assertEqual(self.provider.asked, [])

    def test_nobody_there(self):
        self.provider.close()
        self.refused({})

    def test_a_stranger_who_names_its_key(self):
        self.start()
        folder = self.mesh.folder / "stranger"
        folder.mkdir()
        answer = self.mesh.exchange(idtoken.Key(folder, "first").sign(self.provider.claims()), self.device)
        self.assertEqual((answer.status, self.mesh.log_of(answer)["reason"]), (400, "token-signature"))
        self.assertEqual(self.login().status, 200)


if __name__ == "__main__":
    main()
