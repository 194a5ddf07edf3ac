// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "http_curl.h"

#include <errno.h>
#include <pthread.h>

#include "../util/buf.h"

struct curl_lib curl;

static const struct dynlib_symbol symbols[] = {
	DYNLIB_SYMBOL(curl, curl_global_init),
	DYNLIB_SYMBOL(curl, curl_easy_init),
	DYNLIB_SYMBOL(curl, curl_easy_cleanup),
	DYNLIB_SYMBOL(curl, curl_easy_setopt),
	DYNLIB_SYMBOL(curl, curl_easy_getinfo),
	DYNLIB_SYMBOL(curl, curl_easy_strerror),
	DYNLIB_SYMBOL(curl, curl_slist_append),
	DYNLIB_SYMBOL(curl, curl_slist_free_all),
	DYNLIB_SYMBOL(curl, curl_multi_init),
	DYNLIB_SYMBOL(curl, curl_multi_cleanup),
	DYNLIB_SYMBOL(curl, curl_multi_add_handle),
	DYNLIB_SYMBOL(curl, curl_multi_remove_handle),
	DYNLIB_SYMBOL(curl, curl_multi_perform),
	DYNLIB_SYMBOL(curl, curl_multi_poll),
	DYNLIB_SYMBOL(curl, curl_multi_wakeup),
	DYNLIB_SYMBOL(curl, curl_multi_info_read),
	DYNLIB_SYMBOL(curl, curl_multi_setopt),
	DYNLIB_SYMBOL(curl, curl_url),
	DYNLIB_SYMBOL(curl, curl_url_set),
	DYNLIB_SYMBOL(curl, curl_url_get),
	DYNLIB_SYMBOL(curl, curl_url_cleanup),
	DYNLIB_SYMBOL(curl, curl_url_strerror),
	DYNLIB_SYMBOL(curl, curl_free),
	{0},
};

/* curl_global_init() is safe beside other threads from libcurl 7.84 on only, and must not run twice
 * at once. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int http_curl__load(struct buf *why)
{
	static bool ready;
	int err = 0;

	pthread_mutex_lock(&lock);
	if (!ready) {
		err = dynlib__load("libcurl.so.4", "libcurl4", symbols, why);
		if (!err && curl.curl_global_init(CURL_GLOBAL_DEFAULT)) {
			buf__str(why, "libcurl cannot be initialised: out of memory");
			err = -ENOMEM;
		}
		ready = !err;
	}
	pthread_mutex_unlock(&lock);
	return err;
}
