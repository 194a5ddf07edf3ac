// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What an event's arguments are in ECS: file, destination, url, dll and so on. */
#include <string.h>

#include "ecs.h"
#include "json.h"

/* An object that begins with its first member, or is not there. */
struct object {
	struct buf *out;
	const char *name; /* `"file":{` */
	bool open;
};

/* name: `"path":` */
static void begin_member(struct object *o, const char *name)
{
	size_t len = strlen(name);
	char *p;

	if (!buf__reserve(o->out, len + 64))
		return;
	p = o->out->data + o->out->len;
	*p++ = ',';
	if (!o->open) {
		p = stpcpy(p, o->name);
		o->open = true;
	}
	p = mempcpy(p, name, len);
	o->out->len = (size_t)(p - o->out->data);
}

static void end_object(struct object *o)
{
	if (o->open)
		buf__char(o->out, '}');
}

static void put_node(struct object *o, const char *name, const struct node *n)
{
	if (n->kind == PT_K_END)
		return;
	begin_member(o, name);
	json__whole_node_string(o->out, n);
}

static void put_role(struct object *o, const char *name, const struct fields *f,
                     enum mapping_role role)
{
	if (fields__has_text(f, role))
		put_node(o, name, &f->node[role]);
}

/* An int as a keyword. */
static void put_int_role(struct object *o, const char *name, const struct fields *f,
                         enum mapping_role role)
{
	int64_t v;

	if (!fields__int(f, role, &v))
		return;
	begin_member(o, name);
	buf__char(o->out, '"');
	buf__i64(o->out, v);
	buf__char(o->out, '"');
}

static void put_path(struct object *o, const struct node *path)
{
	struct node name, ext;

	put_node(o, "\"path\":", path);
	if (!fields__name(path, &name))
		return;
	put_node(o, "\"name\":", &name);
	if (fields__extension(&name, &ext))
		put_node(o, "\"extension\":", &ext);
}

/* The file that code came from, when it is one and not "<string>". */
static bool script_path(const struct fields *f, struct node *path)
{
	struct node name;

	if (fields__has_text(f, ROLE_SCRIPT)) {
		*path = f->node[ROLE_SCRIPT];
	} else {
		fields__code(f, &name, path);
		if (path->kind == PT_K_END)
			return false;
	}
	return path->len && !fields__starts_with(path, "<");
}

static void put_mode(struct object *o, const struct fields *f)
{
	int64_t mode;
	char digits[24], *p = digits + sizeof(digits);
	uint64_t v;

	if (!fields__int(f, ROLE_MODE, &mode) || mode < 0)
		return;
	for (v = (uint64_t)mode; v || p > digits + sizeof(digits) - 4; v >>= 3)
		*--p = (char)('0' + (v & 7));
	begin_member(o, "\"mode\":");
	buf__char(o->out, '"');
	buf__append(o->out, p, (size_t)(digits + sizeof(digits) - p));
	buf__char(o->out, '"');
}

#define BIT(role) (1ull << (role))
#define OF_FILE                                                                                   \
	(BIT(ROLE_FILE) | BIT(ROLE_TARGET) | BIT(ROLE_SCRIPT) | BIT(ROLE_CODE) | BIT(ROLE_MODE) | \
	 BIT(ROLE_UID) | BIT(ROLE_GID) | BIT(ROLE_OWNER) | BIT(ROLE_GROUP))

static void put_file(struct buf *out, const struct fields *f)
{
	struct object o = {out, "\"file\":{", false};
	struct node path;

	if (!(f->have & OF_FILE))
		return;
	if (fields__has_text(f, ROLE_FILE))
		put_path(&o, &f->node[ROLE_FILE]);
	else if (script_path(f, &path))
		put_path(&o, &path);
	put_role(&o, "\"target_path\":", f, ROLE_TARGET);
	put_mode(&o, f);
	put_int_role(&o, "\"uid\":", f, ROLE_UID);
	put_int_role(&o, "\"gid\":", f, ROLE_GID);
	put_role(&o, "\"owner\":", f, ROLE_OWNER);
	put_int_role(&o, "\"uid\":", f, ROLE_OWNER);
	put_role(&o, "\"group\":", f, ROLE_GROUP);
	put_int_role(&o, "\"gid\":", f, ROLE_GROUP);
	end_object(&o);
}

/* `"address"` is what was given; `"ip"` or `"domain"` what it is. */
static void put_endpoint(struct buf *out, const char *name, const struct fields_endpoint *e)
{
	struct object o = {out, name, false};

	if (!e->known)
		return;
	if (e->host.kind != PT_K_END)
		put_node(&o, "\"address\":", &e->host);
	if (e->has_ip) {
		begin_member(&o, "\"ip\":");
		buf__char(out, '"');
		buf__append(out, e->ip, e->ip_len);
		buf__char(out, '"');
	} else if (!e->is_local && e->host.kind != PT_K_END && e->host.len) {
		put_node(&o, "\"domain\":", &e->host);
	}
	if (e->has_port) {
		begin_member(&o, "\"port\":");
		buf__u64(out, e->port);
	}
	end_object(&o);
}

static void put_network(struct buf *out, const struct fields *f)
{
	unsigned version = f->remote.has_ip  ? f->remote.ip_version
	                   : f->local.has_ip ? f->local.ip_version
	                                     : 0;

	if (f->have & (BIT(ROLE_REMOTE) | BIT(ROLE_HOST)))
		put_endpoint(out, "\"destination\":{", &f->remote);
	if (fields__has(f, ROLE_LOCAL))
		put_endpoint(out, "\"server\":{", &f->local);
	if (version)
		buf__str(out, version == 4 ? ",\"network\":{\"type\":\"ipv4\"}"
		                           : ",\"network\":{\"type\":\"ipv6\"}");
}

static void put_url(struct buf *out, const struct fields *f)
{
	struct object o = {out, "\"url\":{", false};
	struct fields_url url;

	if (!fields__has_text(f, ROLE_URL) || !fields__url(&f->node[ROLE_URL], &url))
		return;
	put_role(&o, "\"original\":", f, ROLE_URL);
	if (url.scheme.kind != PT_K_END && url.host.kind != PT_K_END)
		put_role(&o, "\"full\":", f, ROLE_URL);
	put_node(&o, "\"scheme\":", &url.scheme);
	put_node(&o, "\"domain\":", &url.host);
	if (url.has_port) {
		begin_member(&o, "\"port\":");
		buf__u64(out, url.port);
	}
	put_node(&o, "\"path\":", &url.path);
	put_node(&o, "\"query\":", &url.query);
	put_node(&o, "\"fragment\":", &url.fragment);
	end_object(&o);
}

static void put_dll(struct buf *out, const struct fields *f)
{
	struct object o = {out, "\"dll\":{", false};
	const struct node *path = &f->node[ROLE_DLL];
	struct node name;

	/* of a module of Python the name is that of the module */
	if (fields__has_text(f, ROLE_MODULE))
		put_role(&o, "\"name\":", f, ROLE_MODULE);
	else if (fields__has_text(f, ROLE_DLL) && fields__name(path, &name))
		put_node(&o, "\"name\":", &name);
	put_role(&o, "\"path\":", f, ROLE_DLL);
	end_object(&o);
}

static void put_registry(struct buf *out, const struct fields *f)
{
	struct object o = {out, "\"registry\":{", false};

	put_role(&o, "\"key\":", f, ROLE_REGISTRY_KEY);
	put_role(&o, "\"value\":", f, ROLE_REGISTRY_VALUE);
	end_object(&o);
}

static void put_query(struct buf *out, const struct fields *f)
{
	if (!fields__has_text(f, ROLE_QUERY) || !f->node[ROLE_QUERY].len)
		return;
	buf__lit(out, ",\"dns\":{\"question\":{\"name\":");
	json__whole_node_string(out, &f->node[ROLE_QUERY]);
	buf__lit(out, "}}");
}

static void put_method(struct buf *out, const struct fields *f)
{
	if (!fields__has_text(f, ROLE_METHOD))
		return;
	buf__lit(out, ",\"http\":{\"request\":{\"method\":");
	json__whole_node_string(out, &f->node[ROLE_METHOD]);
	buf__lit(out, "}}");
}

static void put_related_host(struct buf *out, bool *any, const struct node *n)
{
	if (n->kind == PT_K_END || !n->len)
		return;
	buf__str(out, *any ? "," : ",\"hosts\":[");
	*any = true;
	json__whole_node_string(out, n);
}

/* Whom and what the event has to do with, for searches over all fields at once. */
static void put_related(struct buf *out, const struct fields *f, const struct pt_task *task)
{
	struct fields_url url;
	bool any = false;

	buf__lit(out, ",\"related\":{\"user\":[\"");
	buf__u64(out, task->uid);
	if (task->euid != task->uid) {
		buf__lit(out, "\",\"");
		buf__u64(out, task->euid);
	}
	buf__lit(out, "\"]");
	if (f && (f->remote.known || f->local.known || f->have & (BIT(ROLE_URL) | BIT(ROLE_QUERY)))) {
		const struct fields_endpoint *e = f->remote.known ? &f->remote : &f->local;

		if (e->known && e->has_ip) {
			buf__lit(out, ",\"ip\":[\"");
			buf__append(out, e->ip, e->ip_len);
			buf__lit(out, "\"]");
		} else if (e->known && !e->is_local) {
			put_related_host(out, &any, &e->host);
		}
		if (fields__has_text(f, ROLE_URL) && fields__url(&f->node[ROLE_URL], &url))
			put_related_host(out, &any, &url.host);
		if (fields__has_text(f, ROLE_QUERY))
			put_related_host(out, &any, &f->node[ROLE_QUERY]);
		if (any)
			buf__char(out, ']');
	}
	buf__char(out, '}');
}

#define OF_NETWORK                                                                               \
	(BIT(ROLE_REMOTE) | BIT(ROLE_LOCAL) | BIT(ROLE_HOST) | BIT(ROLE_QUERY) | BIT(ROLE_URL) | \
	 BIT(ROLE_METHOD))
#define OF_LIBRARY \
	(BIT(ROLE_MODULE) | BIT(ROLE_DLL) | BIT(ROLE_REGISTRY_KEY) | BIT(ROLE_REGISTRY_VALUE))

void ecs__fields(struct buf *out, const struct fields *f, const struct pt_task *task)
{
	if (f && f->have) {
		put_file(out, f);
		if (f->have & OF_NETWORK) {
			put_network(out, f);
			put_url(out, f);
			put_query(out, f);
			put_method(out, f);
		}
		if (f->have & OF_LIBRARY) {
			put_dll(out, f);
			put_registry(out, f);
		}
	}
	put_related(out, f, task);
}

void ecs__own_fields(struct buf *out, const struct fields *f)
{
	struct object code = {out, "\"code\":{", false}, target = {out, "\"target\":{", false};
	struct node name, file;
	int64_t v;

	if (!(f->have & (BIT(ROLE_FROM) | BIT(ROLE_FUNCTION) | BIT(ROLE_SCRIPT) | BIT(ROLE_CODE) |
	                 BIT(ROLE_PID) | BIT(ROLE_SIGNAL))))
		return;
	if (fields__has_text(f, ROLE_FROM)) {
		buf__lit(out, ",\"source_path\":");
		json__whole_node_string(out, &f->node[ROLE_FROM]);
	}
	fields__code(f, &name, &file);
	if (fields__has_text(f, ROLE_SCRIPT))
		file = f->node[ROLE_SCRIPT];
	if (fields__has_text(f, ROLE_FUNCTION))
		name = f->node[ROLE_FUNCTION];
	put_node(&code, "\"file\":", &file);
	put_node(&code, "\"name\":", &name);
	end_object(&code);
	if (fields__int(f, ROLE_PID, &v)) {
		begin_member(&target, "\"pid\":");
		buf__i64(out, v);
	}
	if (fields__int(f, ROLE_SIGNAL, &v)) {
		begin_member(&target, "\"signal\":");
		buf__i64(out, v);
	}
	end_object(&target);
}
