// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The objects that OCSF's classes are about. What a class requires is always there: where an event
 * does not say it, as "Unknown", which is what the schema asks for, or 0, its number for it.
 */
#include <string.h>

#include "json.h"
#include "ocsf.h"
#include "process_text.h"
#include "../enrich/host_facts.h"

#define UNKNOWN "\"Unknown\""

/* Numbers of classes, as events/ocsf.tsv has them. */
enum ocsf_class {
	OCSF_FILE = 1001,
	OCSF_MEMORY = 1004,
	OCSF_MODULE = 1005,
	OCSF_PROCESS = 1007,
	OCSF_SCRIPT = 1009,
	OCSF_NETWORK = 4001,
	OCSF_HTTP = 4002,
	OCSF_DNS = 4003,
	OCSF_LIFECYCLE = 6002,
	OCSF_REGISTRY_KEY = 201001,
	OCSF_REGISTRY_VALUE = 201002,
};

static void put_text(struct buf *out, const char *name, const struct node *n)
{
	if (n->kind == PT_K_END)
		return;
	buf__str(out, name);
	json__whole_node_string(out, n);
}

static void put_role(struct buf *out, const char *name, const struct fields *f, enum mapping_role role)
{
	if (fields__has_text(f, role))
		put_text(out, name, &f->node[role]);
}

/* A file object; path NULL: not known. */
static void put_file(struct buf *out, const struct node *path, unsigned type)
{
	struct node name, ext;

	buf__lit(out, "{\"type_id\":");
	buf__u64(out, type);
	if (!path) {
		buf__lit(out, ",\"name\":" UNKNOWN "}");
		return;
	}
	/* of a path that is cut, or ends with a slash, the whole of it */
	if (fields__name(path, &name)) {
		put_text(out, ",\"name\":", &name);
		if (fields__extension(&name, &ext))
			put_text(out, ",\"ext\":", &ext);
	} else {
		put_text(out, ",\"name\":", path);
	}
	put_text(out, ",\"path\":", path);
	buf__char(out, '}');
}

static const struct node *text_of(const struct fields *f, enum mapping_role role)
{
	return fields__has_text(f, role) ? &f->node[role] : NULL;
}

/* 2: a folder, 0: not known. */
static unsigned file_type(const struct mapping *map)
{
	return !strncmp(map->action, "directory-", 10) || !strncmp(map->action, "tree-", 5) ? 2 : 0;
}

static void put_files(struct buf *out, const struct fields *f)
{
	const struct node *file = text_of(f, ROLE_FILE), *from = text_of(f, ROLE_FROM);
	unsigned type = file_type(f->map);

	/* 5: renamed, from what it was to what it becomes */
	if (f->map->ocsf_activity == 5 && from) {
		buf__lit(out, ",\"file\":");
		put_file(out, from, type);
		buf__lit(out, ",\"file_result\":");
		put_file(out, file, type);
		return;
	}
	buf__lit(out, ",\"file\":");
	put_file(out, file ? file : from, type);
}

static void put_module(struct buf *out, const struct fields *f)
{
	const struct node *file = text_of(f, ROLE_DLL), *module = text_of(f, ROLE_MODULE);

	/* 1: standard, loaded from a file by the loader; 0: not known */
	buf__str(out, f->map->ocsf_activity == 1 ? ",\"module\":{\"load_type_id\":1"
	                                         : ",\"module\":{\"load_type_id\":0");
	if (module && !file)
		put_text(out, ",\"file\":{\"type_id\":0,\"name\":", module);
	else if (module)
		put_text(out, ",\"type\":\"Python\",\"file\":{\"type_id\":1,\"name\":", module);
	if (module) {
		if (file)
			put_text(out, ",\"path\":", file);
		buf__char(out, '}');
	} else if (file) {
		buf__lit(out, ",\"file\":");
		put_file(out, file, 0);
	}
	put_role(out, ",\"function_name\":", f, ROLE_FUNCTION);
	buf__char(out, '}');
}

static void put_script(struct buf *out, const struct fields *f)
{
	const struct node *source = text_of(f, ROLE_SOURCE), *file = text_of(f, ROLE_SCRIPT);
	struct node name, path;

	fields__code(f, &name, &path);
	if (!file && path.kind != PT_K_END)
		file = &path;
	if (fields__has_text(f, ROLE_FUNCTION))
		name = f->node[ROLE_FUNCTION];
	else if (fields__has_text(f, ROLE_MODULE))
		name = f->node[ROLE_MODULE];
	buf__lit(out, ",\"script\":{\"type_id\":3,\"type\":\"Python\"");
	put_text(out, ",\"name\":", &name);
	if (file && !fields__starts_with(file, "<")) {
		buf__lit(out, ",\"file\":");
		put_file(out, file, 1);
	}
	buf__lit(out, ",\"script_content\":{\"value\":");
	if (!source) {
		buf__lit(out, "\"\",\"is_truncated\":true}}");
		return;
	}
	json__whole_node_string(out, source);
	if (source->flags & (PT_F_CUT | PT_F_UNREADABLE))
		buf__lit(out, ",\"is_truncated\":true");
	buf__lit(out, "}}");
}

static void put_process(struct buf *out, const struct event *ev, const struct fields *f,
                        const struct process_parts *parts, const struct format_context *ctx)
{
	int64_t pid;

	buf__lit(out, ",\"process\":");
	if (f->is_spawn) {
		ocsf__child(out, ev, f, ctx->instance);
		/* 1: spawn, 3: exec */
		if (f->map->ocsf_activity == 1)
			buf__str(out, f->is_exec ? ",\"launch_type_id\":3" : ",\"launch_type_id\":1");
		return;
	}
	if (fields__int(f, ROLE_PID, &pid) && pid > 0 && pid <= INT32_MAX) {
		buf__lit(out, "{\"pid\":");
		buf__i64(out, pid);
		buf__char(out, '}');
		return;
	}
	buf__char(out, '{');
	process_parts__append(out, parts, OCSF_PART_IDS);
	buf__char(out, '}');
}

void ocsf__this_host(struct buf *out, const struct format_context *ctx)
{
	const struct host_facts *h = ctx->host;
	char comma = '{';

	if (!h || (!h->name[0] && !h->id[0] && !h->boot_id[0])) {
		buf__lit(out, "{\"name\":" UNKNOWN "}");
		return;
	}
	if (h->name[0]) {
		process_text__member(out, "{\"hostname\":", h->name, strlen(h->name));
		comma = ',';
	}
	if (h->id[0]) {
		buf__char(out, comma);
		process_text__member(out, "\"uid\":", h->id, strlen(h->id));
		comma = ',';
	}
	if (comma == '{') {
		process_text__member(out, "{\"instance_uid\":", h->boot_id, strlen(h->boot_id));
	}
	buf__char(out, '}');
}

static void put_endpoint(struct buf *out, const struct fields_endpoint *e)
{
	buf__lit(out, ",\"dst_endpoint\":{");
	if (e->has_ip) {
		buf__lit(out, "\"ip\":\"");
		buf__append(out, e->ip, e->ip_len);
		buf__char(out, '"');
	} else if (e->host.kind == PT_K_END) {
		buf__lit(out, "\"name\":" UNKNOWN);
	} else {
		put_text(out, e->is_local ? "\"name\":" : "\"hostname\":", &e->host);
	}
	if (e->has_port) {
		buf__lit(out, ",\"port\":");
		buf__u64(out, e->port);
	}
	buf__char(out, '}');
}

static void put_endpoints(struct buf *out, const struct fields *f, const struct format_context *ctx)
{
	if (f->local.known) {
		/* it is listened there: the other side is not known */
		put_endpoint(out, &f->local);
		return;
	}
	buf__lit(out, ",\"src_endpoint\":");
	ocsf__this_host(out, ctx);
	if (f->remote.known)
		put_endpoint(out, &f->remote);
}

static void put_url(struct buf *out, const struct fields *f)
{
	struct fields_url url;

	if (!fields__has_text(f, ROLE_URL) || !fields__url(&f->node[ROLE_URL], &url))
		return;
	put_role(out, ",\"url\":{\"url_string\":", f, ROLE_URL);
	put_text(out, ",\"scheme\":", &url.scheme);
	put_text(out, ",\"hostname\":", &url.host);
	if (url.has_port) {
		buf__lit(out, ",\"port\":");
		buf__u64(out, url.port);
	}
	put_text(out, ",\"path\":", &url.path);
	put_text(out, ",\"query_string\":", &url.query);
	buf__char(out, '}');
}

/* The methods that OCSF has, by activity; others are in the arguments only. */
static const char *method_of(unsigned activity)
{
	static const char *const methods[] = {
		[2] = "DELETE", [3] = "GET", [4] = "HEAD",  [5] = "OPTIONS",
		[6] = "POST",   [7] = "PUT", [9] = "PATCH",
	};

	return activity < sizeof(methods) / sizeof(methods[0]) ? methods[activity] : NULL;
}

static void put_request(struct buf *out, const struct event *ev, const struct fields *f,
                        const struct format_context *ctx)
{
	/* An id of ours: nothing else may be known of it, and it must be there. */
	buf__lit(out, ",\"http_request\":{\"uid\":\"");
	buf__str(out, ctx->instance);
	buf__char(out, '-');
	buf__u64(out, ev->seq);
	buf__char(out, '"');
	if (fields__has(f, ROLE_METHOD) && method_of(f->map->ocsf_activity)) {
		buf__lit(out, ",\"http_method\":\"");
		buf__str(out, method_of(f->map->ocsf_activity));
		buf__char(out, '"');
	}
	put_url(out, f);
	buf__char(out, '}');
}

static void put_query(struct buf *out, const struct fields *f)
{
	const struct node *name = text_of(f, ROLE_QUERY);

	if (!name && f->remote.known && f->remote.host.kind != PT_K_END)
		name = &f->remote.host;
	if (!name)
		return;
	put_text(out, ",\"query\":{\"hostname\":", name);
	buf__char(out, '}');
}

static void put_registry(struct buf *out, const struct fields *f)
{
	const struct node *key = text_of(f, ROLE_REGISTRY_KEY),
			  *value = text_of(f, ROLE_REGISTRY_VALUE);

	if (f->map->ocsf_class == OCSF_REGISTRY_VALUE) {
		buf__lit(out, ",\"reg_value\":{\"name\":");
		if (value)
			json__whole_node_string(out, value);
		else
			buf__lit(out, UNKNOWN);
		buf__lit(out, ",\"path\":");
	} else {
		buf__lit(out, ",\"reg_key\":{\"path\":");
	}
	if (key)
		json__whole_node_string(out, key);
	else
		buf__lit(out, UNKNOWN);
	buf__char(out, '}');
}

void ocsf__objects(struct buf *out, const struct event *ev, const struct fields *f,
                   const struct process_parts *parts, const struct format_context *ctx)
{
	switch ((enum ocsf_class)f->map->ocsf_class) {
	case OCSF_FILE:
		put_files(out, f);
		break;
	case OCSF_MODULE:
		put_module(out, f);
		break;
	case OCSF_MEMORY:
	case OCSF_PROCESS:
		put_process(out, ev, f, parts, ctx);
		break;
	case OCSF_SCRIPT:
		put_script(out, f);
		break;
	case OCSF_HTTP:
		put_request(out, ev, f, ctx);
		put_endpoints(out, f, ctx);
		break;
	case OCSF_DNS:
		put_query(out, f);
		buf__lit(out, ",\"src_endpoint\":");
		ocsf__this_host(out, ctx);
		break;
	case OCSF_NETWORK:
		put_endpoints(out, f, ctx);
		break;
	case OCSF_LIFECYCLE:
		buf__lit(out, ",\"app\":{\"name\":\"pip\",\"vendor_name\":\"Python Packaging "
		              "Authority\"}");
		break;
	case OCSF_REGISTRY_KEY:
	case OCSF_REGISTRY_VALUE:
		put_registry(out, f);
		break;
	}
}
