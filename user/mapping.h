/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What audit events are in the schemas of SIEMs, events/mapping.tsv compiled in: their parts of
 * each schema, rendered by scripts/gen-mapping.py, and what their arguments are. Nothing here
 * allocates; every pointer lives as long as the program.
 */
#ifndef PYTRAIL_MAPPING_H
#define PYTRAIL_MAPPING_H

#include <stddef.h>
#include <stdint.h>

#include "catalog.h"

/* What an argument is. scripts/gen-mapping.py has the same. */
enum mapping_role {
	ROLE_NONE,
	ROLE_FILE,
	ROLE_FROM,   /* what a copy or a move is made of */
	ROLE_TARGET, /* what a link points to */
	ROLE_MODE,
	ROLE_UID,
	ROLE_GID,
	ROLE_OWNER,
	ROLE_GROUP,
	ROLE_OPEN_FLAGS,
	ROLE_REMOTE, /* address of a socket: (host, port, ...) or the path of a local one */
	ROLE_LOCAL,
	ROLE_HOST,
	ROLE_PORT,
	ROLE_QUERY, /* a name or an address that is looked up */
	ROLE_SOCKET_FAMILY,
	ROLE_SOCKET_TYPE,
	ROLE_URL,
	ROLE_METHOD,
	ROLE_BODY,
	ROLE_EXECUTABLE, /* of a process that is started, as what follows */
	ROLE_EXECUTABLES,
	ROLE_ARGV,
	ROLE_ARGUMENTS,
	ROLE_COMMAND,
	ROLE_CWD,
	ROLE_PID, /* another process */
	ROLE_SIGNAL,
	ROLE_MODULE,
	ROLE_DLL,
	ROLE_FUNCTION,
	ROLE_SCRIPT, /* file of code */
	ROLE_SOURCE, /* text of code */
	ROLE_CODE,   /* object */
	ROLE_REGISTRY_HIVE,
	ROLE_REGISTRY_KEY,
	ROLE_REGISTRY_VALUE,
	ROLE_CNT
};

/* What must hold of an event's arguments, see fields.c. */
enum mapping_condition {
	MAPPING_IF_ALWAYS,
	MAPPING_IF_CREATE,
	MAPPING_IF_WRITE,
	MAPPING_IF_HARMLESS,
	MAPPING_IF_RAW,
	MAPPING_IF_GET,
	MAPPING_IF_POST,
	MAPPING_IF_PUT,
	MAPPING_IF_DELETE,
	MAPPING_IF_HEAD,
	MAPPING_IF_OPTIONS,
	MAPPING_IF_PATCH,
	MAPPING_IF_METHOD,
};

struct mapping {
	const char *action;    /* "file-open" */
	const char *category;  /* of ECS: "file" */
	const char *technique; /* of ATT&CK, or NULL */
	uint32_t ocsf_class;
	uint8_t ocsf_activity;
	uint8_t severity; /* 1 informational to 5 critical */
	uint8_t condition;
	const struct mapping *next; /* when the condition does not hold; the last has none */
	/* enum mapping_role by index of the event's signatures and of the argument; NULL: of no
	 * event */
	const uint8_t (*roles)[CATALOG_ARGS_MAX];
	/* Beginnings of objects and whole members, to be copied as they are. */
	const char *ecs; /* `"event":{"kind":"event",…,"code":"open",` */
	size_t ecs_len;
	const char *ecs_threat; /* `,"threat":{…}`, or NULL */
	size_t ecs_threat_len;
	const char *ocsf; /* `"activity_id":14,…,"severity":"Low",` */
	size_t ocsf_len;
	const char *ocsf_attacks; /* `,"attacks":[…]`, or NULL */
	size_t ocsf_attacks_len;
};

/* Of an event of the table, the first of its rows; NULL: of one that is not known, in which `ecs`
 * is without the name of the event. */
const struct mapping *mapping__of(const struct catalog_event *known);

/* Versions of ATT&CK and OCSF that the texts are of: "18.1". */
const char *mapping__attack_version(void);
const char *mapping__ocsf_version(void);

#endif
