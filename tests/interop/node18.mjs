// Node 18 is what Debian 12 has; the peers want one thing that is global since 19.
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
