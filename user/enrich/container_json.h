/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the files of container runtimes say of a container. Pure functions of the text. */
#ifndef PYTRAIL_CONTAINER_JSON_H
#define PYTRAIL_CONTAINER_JSON_H

#include <stdbool.h>
#include <stddef.h>

#define CONTAINER_TEXT_MAX 256 /* bytes of each, with a NUL: what is longer is not taken */

/* UTF-8, any characters but NUL; "" when not known. */
struct container_facts {
	char name[CONTAINER_TEXT_MAX];
	char image[CONTAINER_TEXT_MAX];
	char pod[CONTAINER_TEXT_MAX]; /* of Kubernetes, as the next */
	char pod_namespace[CONTAINER_TEXT_MAX];
};

/* All return whether the text is that of such a file, of this container, and has a name in it. */

/* Docker's config.v2.json of one container. */
bool container_json__docker(const char *text, size_t len, const char *id,
                            struct container_facts *out);

/* containers.json of containers/storage (Podman, CRI-O): of all containers. */
bool container_json__storage(const char *text, size_t len, const char *id,
                             struct container_facts *out);

/* config.json of an OCI bundle (containerd, CRI-O), which does not say its container's id:
 * annotations. */
bool container_json__bundle(const char *text, size_t len, struct container_facts *out);

/* The "data-root" of Docker's daemon.json: an absolute path, shorter than size. */
bool container_json__data_root(const char *text, size_t len, char *out, size_t size);

#endif
