// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "container_json.h"

#include <string.h>

#include <jansson.h>

/* Takes a text that is not empty and fits. */
static bool take(char out[CONTAINER_TEXT_MAX], const json_t *value)
{
	size_t len = json_string_length(value);

	if (!len || len >= CONTAINER_TEXT_MAX)
		return false;
	memcpy(out, json_string_value(value), len + 1);
	return true;
}

/* The first of the keys that has one. */
static bool take_first(char out[CONTAINER_TEXT_MAX], const json_t *object, const char *const *keys)
{
	for (; *keys; keys++)
		if (take(out, json_object_get(object, *keys)))
			return true;
	return false;
}

/*
 * Labels that the kubelet gives to a container (pkg/kubelet/types/labels.go); annotations of
 * containerd's CRI plugin (pkg/cri/annotations), of CRI-O (pkg/annotations), of nerdctl
 * (pkg/labels).
 */
static const char *const name_keys[] = {"io.kubernetes.container.name",
                                        "io.kubernetes.cri.container-name", "nerdctl/name",
                                        "io.kubernetes.cri-o.ContainerName", NULL};
static const char *const image_keys[] = {"io.kubernetes.cri.image-name",
                                         "io.kubernetes.cri-o.ImageName",
                                         "io.kubernetes.cri-o.Image", NULL};
static const char *const pod_keys[] = {"io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name",
                                       NULL};
static const char *const namespace_keys[] = {"io.kubernetes.pod.namespace",
                                             "io.kubernetes.cri.sandbox-namespace",
                                             "io.kubernetes.cri-o.Namespace", NULL};

static void take_pod(struct container_facts *out, const json_t *labels)
{
	take_first(out->pod, labels, pod_keys);
	take_first(out->pod_namespace, labels, namespace_keys);
}

bool container_json__docker(const char *text, size_t len, const char *id, struct container_facts *out)
{
	json_t *root = json_loadb(text, len, 0, NULL);
	const json_t *config = json_object_get(root, "Config");
	const char *of = json_string_value(json_object_get(root, "ID"));
	bool ok = of && !strcmp(of, id);

	memset(out, 0, sizeof(*out));
	if (ok) {
		const json_t *labels = json_object_get(config, "Labels");

		/* of Kubernetes, by cri-dockerd, the name of the container in its pod is more
		 * telling */
		ok = take(out->name, json_object_get(labels, name_keys[0])) ||
		     take(out->name, json_object_get(root, "Name"));
		/* it has a slash in front: of the time when containers could be linked */
		if (out->name[0] == '/')
			memmove(out->name, out->name + 1, strlen(out->name));
		ok = ok && out->name[0];
		take(out->image, json_object_get(config, "Image"));
		take_pod(out, labels);
	}
	json_decref(root);
	return ok;
}

/* The metadata that Podman and CRI-O keep with a container is JSON in a string. */
static void take_metadata(struct container_facts *out, const json_t *value)
{
	static const char *const images[] = {"image-name", NULL}, *const names[] = {"pod-name", NULL};
	json_t *metadata;

	if (!json_string_length(value))
		return;
	metadata = json_loadb(json_string_value(value), json_string_length(value), 0, NULL);
	take_first(out->image, metadata, images);
	take_first(out->pod, metadata, names);
	json_decref(metadata);
}

bool container_json__storage(const char *text, size_t len, const char *id, struct container_facts *out)
{
	json_t *root = json_loadb(text, len, 0, NULL);
	bool ok = false;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < json_array_size(root) && !ok; i++) {
		const json_t *each = json_array_get(root, i);
		const char *of = json_string_value(json_object_get(each, "id"));

		if (!of || strcmp(of, id))
			continue;
		ok = take(out->name, json_array_get(json_object_get(each, "names"), 0));
		if (!ok)
			break;
		take_metadata(out, json_object_get(each, "metadata"));
	}
	json_decref(root);
	return ok;
}

bool container_json__bundle(const char *text, size_t len, struct container_facts *out)
{
	json_t *root = json_loadb(text, len, 0, NULL);
	const json_t *annotations = json_object_get(root, "annotations");
	bool ok;

	memset(out, 0, sizeof(*out));
	ok = take_first(out->name, annotations, name_keys);
	if (ok) {
		take_first(out->image, annotations, image_keys);
		take_pod(out, annotations);
	}
	json_decref(root);
	return ok;
}

bool container_json__data_root(const char *text, size_t len, char *out, size_t size)
{
	json_t *root = json_loadb(text, len, 0, NULL);
	const json_t *value = json_object_get(root, "data-root");
	size_t n = json_string_length(value);
	bool ok = n && n < size && json_string_value(value)[0] == '/';

	if (ok)
		memcpy(out, json_string_value(value), n + 1);
	json_decref(root);
	return ok;
}
