"""The meshauth command, typed without a service."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MAUTH_BUILD", ROOT / "build" / "dev"))
MESHAUTH = BUILD / "cli" / "meshauth"
GOLDEN = ROOT / "tests" / "data" / "golden"
MANIFEST = json.loads((GOLDEN / "manifest.json").read_text())
ISSUER = "https://auth.mesh.example"
STORAGE = "urn:meshauth:service:storage"
NOW = MANIFEST["now"]
PATIENCE_S = 60


def meshauth(*args, data=None, env=None):
    """A finished command; nothing that it is asked may hang or crash."""
    done = subprocess.run([str(a) for a in (MESHAUTH, *args)], input=data, capture_output=True, text=True,
                          timeout=PATIENCE_S, env={**os.environ, **(env or {})})
    if done.returncode not in (0, 1, 2, 3):
        raise AssertionError(f"{args}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class CliTest(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="meshauth-cli."))
        self.addCleanup(shutil.rmtree, self.dir)

    def file(self, name, content):
        path = self.dir / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def exits(self, code, *args, **kwargs):
        done = meshauth(*args, **kwargs)
        self.assertEqual(done.returncode, code, f"{args}\n{done.stdout}{done.stderr}")
        return done

    def misused(self, *args, says=""):
        """Usage errors: exit 2, nothing on standard output, a sentence and the usage."""
        done = self.exits(2, *args)
        self.assertEqual(done.stdout, "", args)
        self.assertIn("usage: meshauth", done.stderr, args)
        self.assertIn(says, done.stderr, args)
