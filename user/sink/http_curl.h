/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* libcurl's functions, loaded when the first output wants them. */
#ifndef PYTRAIL_HTTP_CURL_H
#define PYTRAIL_HTTP_CURL_H

/* The checking macros would take the functions' names from the table. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "../util/dynlib.h"

struct buf;

struct curl_lib {
	DYNLIB_FN(curl_global_init);
	DYNLIB_FN(curl_easy_init);
	DYNLIB_FN(curl_easy_cleanup);
	DYNLIB_FN(curl_easy_setopt);
	DYNLIB_FN(curl_easy_getinfo);
	DYNLIB_FN(curl_easy_strerror);
	DYNLIB_FN(curl_slist_append);
	DYNLIB_FN(curl_slist_free_all);
	DYNLIB_FN(curl_multi_init);
	DYNLIB_FN(curl_multi_cleanup);
	DYNLIB_FN(curl_multi_add_handle);
	DYNLIB_FN(curl_multi_remove_handle);
	DYNLIB_FN(curl_multi_perform);
	DYNLIB_FN(curl_multi_poll);
	DYNLIB_FN(curl_multi_wakeup);
	DYNLIB_FN(curl_multi_info_read);
	DYNLIB_FN(curl_multi_setopt);
	DYNLIB_FN(curl_url);
	DYNLIB_FN(curl_url_set);
	DYNLIB_FN(curl_url_get);
	DYNLIB_FN(curl_url_cleanup);
	DYNLIB_FN(curl_url_strerror);
	DYNLIB_FN(curl_free);
};

extern struct curl_lib curl;

/* Loads and initialises libcurl, once, from any thread. 0 or -errno with a sentence in `why`. */
int http_curl__load(struct buf *why);

#endif
