/*
 * Which node of the mesh is meant by what was typed. Says itself what is wrong, as
 * cli/mesh.h does; out is the id.
 */
#ifndef CLI_MESH_FIND_H
#define CLI_MESH_FIND_H

#include "base/id.h"
#include "cli/mesh.h"

/* An id, or the exact name of only one of the caller's folders. */
enum command_exit mesh_find_folder(const struct mesh *m, const struct call *call,
    const char *folder, char out[ID_LEN + 1]);

/*
 * An id, or the exact name of only one of the caller's devices; NULL: this one, which
 * the caller has claimed.
 */
enum command_exit mesh_find_device(const struct mesh *m, const struct call *call,
    const char *device, char out[ID_LEN + 1]);

/* An id of this kind, "usr_..." for ID_USER; what is none is misuse. */
enum command_exit mesh_find_id(
    const struct call *call, enum id_kind kind, const char *text, char out[ID_LEN + 1]);

/* The caller's own: all of them. */
enum command_exit mesh_own_folders(const struct mesh *m, json_t **out);
enum command_exit mesh_own_devices(const struct mesh *m, json_t **out);

#endif
