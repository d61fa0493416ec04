"""A service of the test's own: what libmeshauth decides there (decide.c)."""
import json
import subprocess

from harness import BUILD


class Deciding:
    """Its verifier reads the trust file and the rules of a running mesh, or others."""

    def __init__(self, mesh, audience, rules=None, trust=None, status=None, complaints=None):
        self.mesh = mesh
        self.process = subprocess.Popen(
            [BUILD / "tests" / "e2e" / "decide", trust or mesh.trust, mesh.vkey.read_text().strip(), audience,
             rules or mesh.dir / "mesh.rules", *([status] if status else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def decide(self, credential, device, action, *args, now=None, header=None):
        """Status and reason: (200, "") when it may be done."""
        request = {"action": action, "args": args}
        if header or credential:
            request["authorization"] = header or "Bearer " + credential
        if device:
            request["key"] = device.spki.hex()
        if now is not None:
            request["now"] = int(now)
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline())
        if (said["verdict"] == "allow") != (said["status"] == 200):
            raise AssertionError(f"a decision that is neither: {said}")
        return said["status"], said["reason"]
