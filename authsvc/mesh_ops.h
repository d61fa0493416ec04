/* All operations on the graph, by the file that has them; authsvc/routes.c lists them. */
#ifndef AUTHSVC_MESH_OPS_H
#define AUTHSVC_MESH_OPS_H

#include "authsvc/mesh.h"
#include "store/graph_folder.h"

/* mesh_users.c */
extern const struct mesh_op user_read_op;
/* mesh_devices.c */
extern const struct mesh_op device_read_op, device_list_op, device_claim_op,
    device_update_op, device_release_op;
/* mesh_folders.c */
extern const struct mesh_op folder_read_op, folder_list_op, folder_create_op,
    folder_update_op, folder_delete_op;
/* mesh_members.c */
extern const struct mesh_op member_read_op, member_list_op, member_change_op,
    member_remove_op;
/* mesh_mappings.c */
extern const struct mesh_op mapping_read_op, mapping_list_op, mapping_list_of_device_op,
    mapping_add_op, mapping_remove_op;
/* mesh_invitations.c */
extern const struct mesh_op invitation_read_op, invitation_list_op,
    invitation_create_op, invitation_view_op, invitation_accept_op,
    invitation_decline_op, invitation_revoke_op;

/* A member's node as the answer. */
MAUTH_MUST_USE enum mauth_rc mesh_member_show(struct mesh *m, struct kv_txn *txn,
    const struct id *folder, const struct id *user, struct mauth_err *err);

#endif
