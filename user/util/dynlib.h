/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Shared libraries that are loaded when what needs them is used, and not before: the tracer alone
 * needs few. The functions wanted are a table of pointers of their own types, taken from the
 * library's header:
 *
 *	static struct {
 *		DYNLIB_FN(curl_easy_init);
 *		DYNLIB_FN(curl_easy_perform);
 *	} curl;
 *	static const struct dynlib_symbol symbols[] = {
 *		DYNLIB_SYMBOL(curl, curl_easy_init),
 *		DYNLIB_SYMBOL(curl, curl_easy_perform),
 *		{0},
 *	};
 *	err = dynlib__load("libcurl.so.4", "libcurl4", symbols, why);
 */
#ifndef PYTRAIL_DYNLIB_H
#define PYTRAIL_DYNLIB_H

struct buf;

#define DYNLIB_FN(name) typeof(&(name)) name
#define DYNLIB_SYMBOL(table, name)            \
	{                                     \
#name, (void **)&(table).name \
	}

struct dynlib_symbol {
	const char *name; /* NULL: the end */
	void **fn;
};

/*
 * Loads a library, once for the life of the process, and fills in every function. package: Debian's
 * name of the package that has it. 0; -ENOENT: not there or without one of the functions; -ENOTSUP
 * in a static program; in both cases a sentence is appended to `why`. May be called again, from any
 * thread.
 */
int dynlib__load(const char *soname, const char *package, const struct dynlib_symbol *symbols,
                 struct buf *why);

#endif
