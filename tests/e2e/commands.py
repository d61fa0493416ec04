"""People who type commands of `meshauth` on the mesh, each with a home for accounts."""
import json
import secrets

from harness import MESHAUTH, MeshTest, run

# Ids of nothing.
USR, DEV, FLD, INV = (prefix + "0aaaaaaaaaaaaaaaaaaaaaaaaa" for prefix in ("usr_", "dev_", "fld_", "inv_"))


class User:
    """Somebody with a home for accounts, logged in at a Mesh."""

    def __init__(self, mesh, name, claim=None):
        self.mesh = mesh
        self.name = name
        self.home = mesh.folder / f"home-{name}-{secrets.token_hex(4)}"
        self.id = self.login(mesh, *(("--claim", claim) if claim else ()))["subject"]

    def again(self, claim):
        """The same person on another device."""
        return User(self.mesh, self.name, claim)

    @property
    def account(self):
        return self.home / "accounts" / f"127.0.0.1_{self.mesh.port}"

    def login(self, mesh, *more, code=0):
        done = self.says(code, "login", mesh.url, "--ca", mesh.ca, "--id-token", "-", "--json", *more,
                         data=mesh.mint(self.name))
        state = json.loads((self.home / "accounts" / f"127.0.0.1_{mesh.port}" / "account.json").read_text())
        mesh.secrets.update(t["credential"][-60:-20] for t in state["tickets"])
        return json.loads(done.stdout)

    def says(self, code, *words, data=None, env=None):
        """A finished command with this exit code."""
        done = run(MESHAUTH, *words, data=data, env={"MESHAUTH_HOME": str(self.home), "LC_ALL": "C", **(env or {})},
                   check=False)
        if done.returncode != code or "anitizer" in done.stderr:
            raise AssertionError(f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def text(self, *words, **more):
        """What people read of a command that is done."""
        done = self.says(0, *words, **more)
        if done.stderr:
            raise AssertionError(f"{words}: {done.stderr}")
        return done.stdout

    def json(self, *words, **more):
        return json.loads(self.text(*words, "--json", **more))

    def invite(self, folder, *more):
        """An invitation's node."""
        node = self.json("folder", "invite", folder, *more)
        self.mesh.secrets.add(node["secret"])
        return node

    def join(self, folder, other, role="reader"):
        other.text("invitation", "accept", "-", data=self.invite(folder, "--role", role)["link"])


class CommandTest(MeshTest):
    def setUp(self):
        name = self.id().rsplit(".", 1)[1].replace("_", "-")
        self.alice = User(self.mesh, f"alice-{name}", "Alice's PC")
        self.bob = User(self.mesh, f"bob-{name}", "Bob's PC")

    def refused(self, user, code, says, *words, data=None):
        """A sentence, and nothing on standard output."""
        done = user.says(code, *words, data=data)
        self.assertEqual(done.stdout, "", words)
        self.assertIn(says, done.stderr, words)
        self.assertTrue(done.stderr.startswith(f"meshauth {words[0]} {words[1]}: "), done.stderr)
        return done.stderr
