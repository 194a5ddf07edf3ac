/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What an event's arguments mean, by events/mapping.tsv: the file, the peer, the command line ...
 * that the formats of SIEMs have fields of their own for. Nothing is copied or allocated: a field
 * points into the event, which must outlive it.
 */
#ifndef PYTRAIL_FIELDS_H
#define PYTRAIL_FIELDS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../mapping.h"
#include "../reader.h"

/* One end of a connection; what is not known is absent. */
struct fields_endpoint {
	bool known;    /* there is an address at all */
	bool has_ip;   /* ip[] is one, and the host is no name */
	bool is_local; /* host is the path of a socket, or its abstract name */
	bool has_port;
	uint8_t ip_version; /* 4 or 6, of ip[] */
	uint16_t port;
	char ip[INET6_ADDRSTRLEN]; /* as inet_ntop() writes it, without a zone */
	size_t ip_len;
	struct node host; /* text as it was given, see fields__is_text() */
};

struct fields {
	const struct mapping *map; /* never NULL; of the event and its arguments */
	uint64_t have;             /* bit of each enum mapping_role that the event has */
	bool is_spawn;             /* another process is to be started */
	bool is_exec;              /* this process becomes another program */
	struct fields_endpoint remote, local;
	struct node node[ROLE_CNT];    /* those of `have` */
	struct node_iter at[ROLE_CNT]; /* behind the node: at the children of a container */
};

void fields__of(struct fields *f, const struct event *ev);

static inline bool fields__has(const struct fields *f, enum mapping_role role)
{
	return f->have >> role & 1;
}

/* Whether a value is a text: str, or bytes, which are taken for UTF-8. */
static inline bool fields__is_text(const struct node *n)
{
	return n->kind >= PT_K_STR && n->kind <= PT_K_BYTEARRAY;
}

/* Whether the event has a text for that. */
static inline bool fields__has_text(const struct fields *f, enum mapping_role role)
{
	return fields__has(f, role) && fields__is_text(&f->node[role]);
}

/* Whether it has an int, which is in *out. */
static inline bool fields__int(const struct fields *f, enum mapping_role role, int64_t *out)
{
	if (!fields__has(f, role) || f->node[role].kind != PT_K_INT)
		return false;
	*out = (int64_t)f->node[role].value;
	return true;
}

/*
 * The last component of a path, and what follows the last dot in it; false when there is none: of a
 * path that is cut, or ends with a slash, or whose name has no dot but its first character.
 */
bool fields__name(const struct node *path, struct node *name);
bool fields__extension(const struct node *name, struct node *ext);

/* Whether a text begins with that ASCII text. */
bool fields__starts_with(const struct node *n, const char *prefix);
/* Bytes of a text that is ASCII and no longer than size - 1, terminated; 0 when it is not. */
size_t fields__ascii(const struct node *n, char *out, size_t size);

/* Parts of a URL (RFC 3986 appendix B); those that are absent have the kind PT_K_END. */
struct fields_url {
	struct node scheme, host, path, query, fragment;
	bool has_port;
	uint16_t port;
	bool has_userinfo; /* a name, perhaps a password, before the host */
};
bool fields__url(const struct node *url, struct fields_url *out);

/* The next text of a list or tuple of texts whose iterator this is; other items are passed over,
 * what is in them too. */
bool fields__next_text(struct node_iter *it, struct node *out);
/* The name of a code object or function and its file, each of kind PT_K_END when not known. */
void fields__code(const struct fields *f, struct node *name, struct node *file);

/* What a process that is started is told: whether there are arguments, in *it; a command line, or a
 * program. */
struct fields_command {
	bool has_args;       /* items of a list or tuple, or one text */
	struct node_iter it; /* of the list's items */
	struct node text;    /* args or a command line as one text; kind PT_K_END: none */
	bool is_shell;       /* the text is a shell's, or a whole command line */
	struct node executable;
};
void fields__command(const struct fields *f, struct fields_command *out);

#endif
