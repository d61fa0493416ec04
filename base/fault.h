/*
 * Places at which a test may have the process die, as by kill -9. In builds for tests
 * only (MAUTH_FAULTS): elsewhere nothing of it is left.
 *
 * MESHAUTH_FAULT=NAME, or NAME:N for the N-th time that it is passed, says where.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef MAUTH_FAULTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif

#endif
