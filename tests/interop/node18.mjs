// Node 18 is what Debian 12 has; the peers want two things that are global since 19.
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;
