/* jansson, made ready for a program (never in a library, whose host may use it, too). */
#ifndef JOSE_JSON_H
#define JOSE_JSON_H

/*
 * Once, in main, before threads: hash tables get their seed, and the process ends
 * when jansson finds no memory. Version 2.14 may then drop a byte of a string that
 * it reads, or a key that it writes, and go on.
 */
void json_prepare_process(void);

#endif
