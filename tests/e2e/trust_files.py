"""Trust files that a mesh's root has never seen: signed with its root.key for an authority
of the test's own, so that they are genuine and say whatever a test wants."""
import base64
import hashlib
import pathlib
import tempfile
import time

from harness import run


def stamp(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def delta(older, newer):
    """The bytes that make newer of older (docs/trust-file.md)."""
    def split(file):
        at = file.index(b"\n\n", file.index(b"meshauth-trust v1"))
        at = file.index(b"\n\n", at + 2) + 2
        return file[:at], set(file[at:].splitlines())

    (_, before), (notes, after) = split(older), split(newer)
    changes = [(line, b"-" + line) for line in before - after] + [(line, b"+" + line) for line in after - before]
    hashes = [base64.b64encode(hashlib.sha256(file).digest()) for file in (older, newer)]
    return (b"meshauth-trust-delta v1\nfrom %s\nto %s\n\n" % tuple(hashes) + notes
            + b"".join(line + b"\n" for _, line in sorted(changes)))


class NoteKey:
    """An Ed25519 key that signs notes (C2SP signed-note)."""

    def __init__(self, name, pem=None):
        self.name = name
        if pem is None:
            pem = pathlib.Path(tempfile.mkstemp(prefix="meshauth-note.")[1])
            run("openssl", "genpkey", "-algorithm", "ed25519", "-out", pem)
        self.pem = pem
        der = pathlib.Path(tempfile.mkstemp(prefix="meshauth-note.")[1])
        run("openssl", "pkey", "-in", pem, "-pubout", "-outform", "DER", "-out", der)
        self.public = der.read_bytes()[-32:]
        der.unlink()
        self.hash = hashlib.sha256(name.encode() + b"\n\x01" + self.public).digest()[:4]

    @property
    def vkey(self):
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(bytes([1]) + self.public).decode()}"

    @property
    def fingerprint(self):
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.vkey.encode()).digest()).decode().rstrip("=")

    def sign(self, text):
        with tempfile.NamedTemporaryFile() as file, tempfile.NamedTemporaryFile() as signature:
            file.write(text.encode())
            file.flush()
            run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.pem, "-in", file.name, "-out", signature.name)
            raw = pathlib.Path(signature.name).read_bytes()
        return f"{text}\n\u2014 {self.name} {base64.b64encode(self.hash + raw).decode()}\n"


class TrustAuthority:
    """Says what a mesh's own authority might have said; the mesh's root vouches for it."""

    def __init__(self, mesh, root=None):
        self.issuer = mesh.url
        host = mesh.url.removeprefix("https://")
        self.root = root or NoteKey(f"{host}/root", mesh.dir / "root.key")
        self.key = NoteKey(f"{host}/authority")
        # Its keys are the mesh's, so that its tickets are good by these files, too.
        self.keys = [line for line in mesh.trust.read_text().splitlines() if line.startswith("key ")]
        self.delegations = {}

    def delegation(self, epoch):
        if epoch not in self.delegations:
            now = time.time()
            self.delegations[epoch] = self.root.sign(
                f"meshauth-authority v1\nissuer {self.issuer}\nepoch {epoch}\n"
                f"authority {self.key.vkey} {stamp(now - 86400)} {stamp(now + 86400)}\n")
        return self.delegations[epoch]

    def file(self, sequence, epoch=9, issued=0, life=3600, size=100, tree=None, revoked=()):
        """Its bytes. issued: seconds from now; tree: a name that stands for the log."""
        at = int(time.time()) + issued
        tree = base64.b64encode(hashlib.sha256((tree or str(size)).encode()).digest()).decode()
        lines = "".join(line + "\n" for line in sorted(revoked))
        digest = base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()
        statement = (f"meshauth-trust v1\nissuer {self.issuer}\nepoch {epoch}\nsequence {sequence}\n"
                     f"issued {stamp(at)}\nexpires {stamp(at + life)}\ncheckpoint {size} {tree}\n"
                     + "".join(key + "\n" for key in self.keys) + f"revocations {len(revoked)} {digest}\n")
        return (self.delegation(epoch) + "\n" + self.key.sign(statement) + "\n" + lines).encode()
