// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* `pytrail daemon`: its words; the service itself is daemon/. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "config/config.h"
#include "daemon/daemon.h"
#include "util/log.h"

#define DEFAULT_CONFIG "/etc/pytrail/pytrail.yaml"

enum { OPT_CHECK = 256, OPT_PRINT_OPTIONS };

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check-config", no_argument, NULL, OPT_CHECK},
	{"print-options", no_argument, NULL, OPT_PRINT_OPTIONS},
	{0},
};

struct daemon_words {
	const char *config;
	bool check, print_options;
};

static int parse(struct daemon_words *w, int argc, char **argv)
{
	int opt;

	w->config = DEFAULT_CONFIG;
	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+:c:", long_options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			w->config = optarg;
			break;
		case OPT_CHECK:
			w->check = true;
			break;
		case OPT_PRINT_OPTIONS:
			w->print_options = true;
			break;
		default:
			log__error(opt == ':' ? "daemon: option '%s' needs a value; see 'pytrail "
			                        "help daemon'"
			                      : "daemon: unknown option '%s'; see 'pytrail help "
			                        "daemon'",
			           argv[optind - 1]);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		log__error("daemon: unexpected '%s'; see 'pytrail help daemon'", argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}

static int check(struct config *cfg)
{
	int err = daemon__check_drivers(cfg);

	config__free(cfg);
	if (err)
		return EXIT_USAGE;
	puts("OK");
	return EXIT_OK;
}

int cmd_daemon(int argc, char **argv)
{
	struct daemon_words w = {0};
	struct config *cfg;
	int code = parse(&w, argc, argv);

	if (code >= 0)
		return code;
	if (w.print_options) {
		config__print_options();
		return EXIT_OK;
	}
	cfg = config__open(w.config);
	if (!cfg)
		return EXIT_USAGE;
	return w.check ? check(cfg) : daemon__run(w.config, cfg);
}
