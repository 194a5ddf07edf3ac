// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "dynlib.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "buf.h"

#ifdef PYTRAIL_STATIC

int dynlib__load(const char *soname, const char *package, const struct dynlib_symbol *symbols,
                 struct buf *why)
{
	buf__printf(why, "%s cannot be loaded by a static pytrail: use the dynamic build", soname);
	return -ENOTSUP;
}

#else

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int load(const char *soname, const char *package, const struct dynlib_symbol *symbols,
                struct buf *why)
{
	void *handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		buf__printf(why, "%s is needed and not installed (Debian's package %s)", soname,
		            package);
		return -ENOENT;
	}
	for (; symbols->name; symbols++) {
		*symbols->fn = dlsym(handle, symbols->name);
		if (!*symbols->fn) {
			buf__printf(why, "%s has no function %s: it is too old", soname,
			            symbols->name);
			dlclose(handle);
			return -ENOENT;
		}
	}
	return 0;
}

int dynlib__load(const char *soname, const char *package, const struct dynlib_symbol *symbols,
                 struct buf *why)
{
	int err;

	pthread_mutex_lock(&lock);
	err = load(soname, package, symbols, why);
	pthread_mutex_unlock(&lock);
	return err;
}

#endif
