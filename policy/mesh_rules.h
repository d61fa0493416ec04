/* policy/mesh.rules, as a program carries it. */
#ifndef POLICY_MESH_RULES_H
#define POLICY_MESH_RULES_H

extern const unsigned char mesh_rules[];
extern const unsigned long mesh_rules_len;

#endif
