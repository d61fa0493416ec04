"""Tokens of SoftHSM 2, made with the tools of an admin."""
import os
import pathlib
import subprocess

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "pin-of-the-mesh"  # no log has it by chance


class SoftHsm:
    """In a folder; every process that is started from now on finds them."""

    def __init__(self, folder):
        self.tokens = pathlib.Path(folder) / "tokens"
        self.tokens.mkdir(mode=0o700)
        conf = pathlib.Path(folder) / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {self.tokens}\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(conf)
        # What ThreadSanitizer sees inside of SoftHSM (gmtime() in C_GetTokenInfo) is not ours.
        os.environ["TSAN_OPTIONS"] = f"suppressions={pathlib.Path(__file__).with_name('softhsm.tsan')}"
        self.pin = pathlib.Path(folder) / "token.pin"
        self.write_pin(PIN)

    def write_pin(self, pin):
        self.pin.touch(mode=0o600)
        self.pin.write_text(pin + "\n")

    def run(self, *words):
        subprocess.run([str(w) for w in words], check=True, capture_output=True, timeout=60)

    def token(self, label):
        self.run("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN)

    def key(self, token, label, id, kind="EC:prime256v1"):
        self.run("pkcs11-tool", "--module", MODULE, "--token-label", token, "--login", "--pin", PIN,
                 "--keypairgen", "--key-type", kind, "--label", label, "--id", id)

    def delete(self, token, label):
        for kind in ("privkey", "pubkey"):
            self.run("pkcs11-tool", "--module", MODULE, "--token-label", token, "--login", "--pin", PIN,
                     "--delete-object", "--type", kind, "--label", label)

    def uri(self, token, label, module=MODULE, pin=None):
        return f"pkcs11:token={token};object={label}?module-path={module}&pin-source=file:{pin or self.pin}"

    def take_away(self):
        self.tokens.rename(self.tokens.with_name("away"))

    def put_back(self):
        self.tokens.with_name("away").rename(self.tokens)
