// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* `pytrail status`: what a running daemon says of itself. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "daemon/control.h"
#include "util/buf.h"
#include "util/log.h"

#define DEFAULT_SOCKET "/run/pytrail/control.sock"

enum { OPT_JSON = 256, OPT_SOCKET };

static const struct option long_options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{0},
};

static int say_failed(const char *path, int err)
{
	if (err == -ENOENT || err == -ECONNREFUSED)
		log__error("no daemon listens at '%s': is it running? (systemctl status pytrail)",
		           path);
	else if (err == -EACCES)
		log__error("'%s' is root's alone: run it with sudo", path);
	else
		log__error("cannot ask the daemon at '%s': %s", path, strerror(-err));
	return EXIT_FAIL;
}

int cmd_status(int argc, char **argv)
{
	const char *path = DEFAULT_SOCKET;
	struct buf text = BUF_INIT;
	bool json = false;
	size_t line;
	int opt, err;

	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+:", long_options, NULL)) != -1) {
		if (opt == OPT_JSON) {
			json = true;
		} else if (opt == OPT_SOCKET) {
			path = optarg;
		} else {
			log__error(opt == ':' ? "status: option '%s' needs a value; see 'pytrail "
			                        "help status'"
			                      : "status: unknown option '%s'; see 'pytrail help "
			                        "status'",
			           argv[optind - 1]);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		log__error("status: unexpected '%s'; see 'pytrail help status'", argv[optind]);
		return EXIT_USAGE;
	}
	err = control__ask(path, &text);
	if (!err) {
		const char *end = memchr(text.data, '\n', text.len);

		line = end ? (size_t)(end - text.data) + 1 : text.len;
		if (json)
			fwrite(text.data, 1, line, stdout);
		else
			fwrite(text.data + line, 1, text.len - line, stdout);
	}
	buf__free(&text);
	return err ? say_failed(path, err) : EXIT_OK;
}
