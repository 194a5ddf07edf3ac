// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "fields.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "chars.h"

static size_t width(const struct node *n)
{
	return n->kind == PT_K_STR2 ? 2 : n->kind == PT_K_STR4 ? 4 : 1;
}

static size_t units(const struct node *n)
{
	return n->len / width(n);
}

/* One unit of a text: a byte of UTF-8, or a character. */
static uint32_t unit(const struct node *n, size_t i)
{
	uint16_t two;
	uint32_t four;

	switch (width(n)) {
	case 1:
		return n->data[i];
	case 2:
		memcpy(&two, n->data + i * 2, sizeof(two));
		return two;
	default:
		memcpy(&four, n->data + i * 4, sizeof(four));
		return four;
	}
}

static struct node slice(const struct node *n, size_t from, size_t to)
{
	struct node part = *n;

	part.data = n->data + from * width(n);
	part.len = (to - from) * width(n);
	return part;
}

/* Index of the first of these characters from `from` on, or the number of units. */
static size_t find_any(const struct node *n, size_t from, const char *chars)
{
	size_t cnt = units(n), i = from;

	for (; i < cnt; i++) {
		uint32_t c = unit(n, i);

		if (c && c < 0x80 && strchr(chars, (int)c))
			break;
	}
	return i;
}

bool fields__name(const struct node *path, struct node *name)
{
	size_t cnt = units(path), i = cnt;

	if (path->flags & (PT_F_CUT | PT_F_UNREADABLE))
		return false;
	if (width(path) == 1) {
		const uint8_t *slash = memrchr(path->data, '/', path->len);

		i = slash ? (size_t)(slash - path->data) + 1 : 0;
	} else {
		while (i && unit(path, i - 1) != '/')
			i--;
	}
	if (i == cnt)
		return false;
	*name = slice(path, i, cnt);
	return true;
}

bool fields__extension(const struct node *name, struct node *ext)
{
	size_t cnt = units(name), i = cnt;

	while (i && unit(name, i - 1) != '.')
		i--;
	if (i < 2 || i == cnt)
		return false;
	*ext = slice(name, i, cnt);
	return true;
}

bool fields__starts_with(const struct node *n, const char *prefix)
{
	size_t len = strlen(prefix), cnt = units(n);

	if (cnt < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (unit(n, i) != (uint8_t)prefix[i])
			return false;
	return true;
}

size_t fields__ascii(const struct node *n, char *out, size_t size)
{
	size_t cnt = units(n);

	if (!cnt || cnt >= size)
		return 0;
	for (size_t i = 0; i < cnt; i++) {
		uint32_t c = unit(n, i);

		if (!c || c > 0x7e)
			return 0;
		out[i] = (char)c;
	}
	out[cnt] = '\0';
	return cnt;
}

/* Behind a node's value, whatever it holds. */
static void skip(struct node_iter *it, const struct node *n)
{
	struct node inner;

	if (!node__is_container(n))
		return;
	for (int depth = 1; depth && node_iter__next(it, &inner);) {
		if (inner.kind == PT_K_END)
			depth--;
		else if (node__is_container(&inner))
			depth++;
	}
}

bool fields__next_text(struct node_iter *it, struct node *out)
{
	while (node_iter__next(it, out) && out->kind != PT_K_END) {
		if (fields__is_text(out))
			return true;
		skip(it, out);
	}
	return false;
}

/* --- endpoints ------------------------------------------------------------------------------- */

static void take_ip(struct fields_endpoint *e)
{
	char text[INET6_ADDRSTRLEN + 32], *zone;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	} addr;

	if (!fields__ascii(&e->host, text, sizeof(text)))
		return;
	zone = strchr(text, '%');
	if (zone)
		*zone = '\0';
	if (inet_pton(AF_INET, text, &addr) == 1)
		e->ip_version = 4;
	else if (inet_pton(AF_INET6, text, &addr) == 1)
		e->ip_version = 6;
	else
		return;
	inet_ntop(e->ip_version == 4 ? AF_INET : AF_INET6, &addr, e->ip, sizeof(e->ip));
	e->ip_len = strlen(e->ip);
	e->has_ip = true;
}

static void take_port(struct fields_endpoint *e, const struct node *n)
{
	char text[8];
	uint32_t port = 0;

	if (n->kind == PT_K_INT) {
		if (n->value > UINT16_MAX)
			return;
		port = (uint32_t)n->value;
	} else {
		/* getaddrinfo() takes digits too */
		if (!fields__is_text(n) || !fields__ascii(n, text, sizeof(text)))
			return;
		for (const char *p = text; *p; p++) {
			if (*p < '0' || *p > '9')
				return;
			port = port * 10 + (uint32_t)(*p - '0');
		}
		if (port > UINT16_MAX)
			return;
	}
	e->port = (uint16_t)port;
	e->has_port = true;
}

static void take_host(struct fields_endpoint *e, const struct node *n)
{
	if (!fields__is_text(n) || !n->len)
		return;
	e->host = *n;
	e->known = true;
	take_ip(e);
}

/* The address of a socket: (host, port ...) of AF_INET and AF_INET6; a text of AF_UNIX; those of
 * other families are tuples that say nothing here. */
static void take_address(struct fields_endpoint *e, const struct node *n, struct node_iter it)
{
	struct node item;

	if (fields__is_text(n)) {
		e->host = *n;
		e->known = e->is_local = n->len != 0;
		return;
	}
	if (n->kind != PT_K_TUPLE || !node_iter__next(&it, &item) || !fields__is_text(&item))
		return;
	take_host(e, &item);
	if (node_iter__next(&it, &item))
		take_port(e, &item);
	e->known |= e->has_port;
}

static void take_endpoints(struct fields *f)
{
	if (fields__has(f, ROLE_REMOTE))
		take_address(&f->remote, &f->node[ROLE_REMOTE], f->at[ROLE_REMOTE]);
	if (fields__has(f, ROLE_LOCAL))
		take_address(&f->local, &f->node[ROLE_LOCAL], f->at[ROLE_LOCAL]);
	if (fields__has(f, ROLE_HOST))
		take_host(&f->remote, &f->node[ROLE_HOST]);
	if (fields__has(f, ROLE_PORT))
		take_port(&f->remote, &f->node[ROLE_PORT]);
}

/* --- conditions ------------------------------------------------------------------------------ */

/* The method of a urllib.request.Request: as its get_method(), POST when there is a body. */
static bool is_method(const struct fields *f, const char *name)
{
	char text[16];

	if (fields__has_text(f, ROLE_METHOD))
		return fields__ascii(&f->node[ROLE_METHOD], text, sizeof(text)) &&
		       !strcmp(text, name);
	if (!fields__has(f, ROLE_BODY) || !fields__has(f, ROLE_METHOD) ||
	    f->node[ROLE_METHOD].kind != PT_K_NONE)
		return false;
	return !strcmp(name, f->node[ROLE_BODY].kind == PT_K_NONE ? "GET" : "POST");
}

/* Signals that end a process unless it handles them, and are sent to that end. */
static bool is_harmless(int64_t sig)
{
	return sig != SIGKILL && sig != SIGTERM && sig != SIGINT && sig != SIGQUIT &&
	       sig != SIGABRT && sig != SIGHUP;
}

static bool holds(const struct fields *f, uint8_t condition)
{
	static const char *const methods[] = {"GET",  "POST",    "PUT",  "DELETE",
	                                      "HEAD", "OPTIONS", "PATCH"};
	int64_t v;

	switch (condition) {
	case MAPPING_IF_CREATE:
		return fields__int(f, ROLE_OPEN_FLAGS, &v) && v & O_CREAT;
	case MAPPING_IF_WRITE:
		return fields__int(f, ROLE_OPEN_FLAGS, &v) && (v & O_ACCMODE || v & O_TRUNC);
	case MAPPING_IF_HARMLESS:
		return fields__int(f, ROLE_SIGNAL, &v) && is_harmless(v);
	case MAPPING_IF_RAW:
		return (fields__int(f, ROLE_SOCKET_FAMILY, &v) && v == AF_PACKET) ||
		       (fields__int(f, ROLE_SOCKET_TYPE, &v) && (v & 0xf) == SOCK_RAW);
	case MAPPING_IF_METHOD:
		/* one of none of these rows */
		return fields__has_text(f, ROLE_METHOD);
	case MAPPING_IF_ALWAYS:
		return true;
	default:
		return is_method(f, methods[condition - MAPPING_IF_GET]);
	}
}

/* --- all of them ----------------------------------------------------------------------------- */

static void take_args(struct fields *f, const struct event *ev)
{
	struct node_iter it = node_iter__of(ev);
	const struct catalog_signature *sig;
	const uint8_t *roles;
	struct node n;

	if (!ev->known || !ev->nodes || !f->map->roles || !node_iter__next(&it, &n) ||
	    n.kind != PT_K_TUPLE || !n.length)
		return;
	sig = catalog__signature(ev->known, n.length);
	if (!sig)
		return;
	roles = f->map->roles[sig - ev->known->signatures];
	for (uint32_t i = 0; i < sig->nargs && node_iter__next(&it, &n); i++) {
		if (n.kind == PT_K_END)
			break;
		if (roles[i] != ROLE_NONE) {
			f->node[roles[i]] = n;
			f->at[roles[i]] = it;
			f->have |= 1ull << roles[i];
		}
		skip(&it, &n);
	}
}

#define SPAWNING                                                                  \
	(1ull << ROLE_EXECUTABLE | 1ull << ROLE_EXECUTABLES | 1ull << ROLE_ARGV | \
	 1ull << ROLE_COMMAND)
#define ENDPOINTS (1ull << ROLE_REMOTE | 1ull << ROLE_LOCAL | 1ull << ROLE_HOST | 1ull << ROLE_PORT)

void fields__of(struct fields *f, const struct event *ev)
{
	f->map = mapping__of(ev->known);
	f->have = 0;
	f->is_spawn = f->is_exec = false;
	f->remote.known = f->local.known = false;
	f->remote.has_ip = f->local.has_ip = false;
	take_args(f, ev);
	while (f->map->next && !holds(f, f->map->condition))
		f->map = f->map->next;
	if (f->have & SPAWNING) {
		f->is_spawn = true;
		f->is_exec = ev->name_len == 7 && !memcmp(ev->name, "os.exec", 7);
	}
	if (f->have & ENDPOINTS) {
		f->remote = f->local = (struct fields_endpoint){0};
		take_endpoints(f);
	}
}

void fields__code(const struct fields *f, struct node *name, struct node *file)
{
	struct node_iter it;
	struct node n;

	name->kind = file->kind = PT_K_END;
	if (!fields__has(f, ROLE_CODE))
		return;
	it = f->at[ROLE_CODE];
	n = f->node[ROLE_CODE];
	if (n.kind == PT_K_METHOD && !node_iter__next(&it, &n))
		return;
	if ((n.kind != PT_K_CODE && n.kind != PT_K_FUNCTION) || !node_iter__next(&it, name))
		return;
	if (n.kind == PT_K_CODE && name->kind != PT_K_END && !node_iter__next(&it, file))
		file->kind = PT_K_END;
	if (!fields__is_text(name))
		name->kind = PT_K_END;
	if (!fields__is_text(file))
		file->kind = PT_K_END;
}

void fields__command(const struct fields *f, struct fields_command *out)
{
	enum mapping_role argv = fields__has(f, ROLE_ARGV) ? ROLE_ARGV : ROLE_ARGUMENTS;
	const struct node *n = &f->node[argv];

	memset(out, 0, sizeof(*out));
	if (fields__has_text(f, ROLE_EXECUTABLE))
		out->executable = f->node[ROLE_EXECUTABLE];
	if (fields__has(f, ROLE_EXECUTABLES) && (f->node[ROLE_EXECUTABLES].kind == PT_K_TUPLE ||
	                                         f->node[ROLE_EXECUTABLES].kind == PT_K_LIST)) {
		struct node_iter it = f->at[ROLE_EXECUTABLES];

		/* the first of those that are tried */
		if (!fields__next_text(&it, &out->executable))
			out->executable.kind = PT_K_END;
	}
	if (fields__has_text(f, ROLE_COMMAND)) {
		out->text = f->node[ROLE_COMMAND];
		out->is_shell = true;
		return;
	}
	if (!fields__has(f, argv))
		return;
	if (fields__is_text(n)) {
		out->text = *n;
		out->has_args = true;
	} else if (n->kind == PT_K_LIST || n->kind == PT_K_TUPLE) {
		out->it = f->at[argv];
		out->has_args = true;
	}
}

/* --- URLs ------------------------------------------------------------------------------------ */

static void take_authority(struct fields_url *out, const struct node *authority)
{
	size_t cnt = units(authority), host = 0, end;
	struct fields_endpoint e = {0};
	struct node port;

	for (size_t i = 0; i < cnt; i++)
		if (unit(authority, i) == '@')
			host = i + 1;
	out->has_userinfo = host != 0;
	if (host < cnt && unit(authority, host) == '[') {
		end = find_any(authority, host, "]");
		out->host = slice(authority, host + 1, end);
		end = find_any(authority, end, ":");
	} else {
		end = find_any(authority, host, ":");
		out->host = slice(authority, host, end);
	}
	if (!out->host.len)
		out->host.kind = PT_K_END;
	if (end + 1 >= cnt)
		return;
	port = slice(authority, end + 1, cnt);
	take_port(&e, &port);
	out->has_port = e.has_port;
	out->port = e.port;
}

bool fields__url(const struct node *url, struct fields_url *out)
{
	size_t cnt, end, pos;

	memset(out, 0, sizeof(*out));
	if (!fields__is_text(url))
		return false;
	cnt = units(url);
	pos = find_any(url, 0, ":/?#");
	if (pos && pos < cnt && unit(url, pos) == ':')
		out->scheme = slice(url, 0, pos++);
	else
		pos = 0;
	if (pos + 1 < cnt && unit(url, pos) == '/' && unit(url, pos + 1) == '/') {
		struct node authority;

		end = find_any(url, pos + 2, "/?#");
		authority = slice(url, pos + 2, end);
		take_authority(out, &authority);
		pos = end;
	}
	end = find_any(url, pos, "?#");
	if (end > pos)
		out->path = slice(url, pos, end);
	pos = end;
	if (pos < cnt && unit(url, pos) == '?') {
		end = find_any(url, pos, "#");
		out->query = slice(url, pos + 1, end);
		pos = end;
	}
	if (pos + 1 < cnt)
		out->fragment = slice(url, pos + 1, cnt);
	return true;
}
