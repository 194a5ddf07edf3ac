/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the tracer and the exporter say to each other, over a pair of SOCK_SEQPACKET sockets. A
 * message that finds no room is dropped but for the last ones: figures come again. The tracer
 * trusts nothing of what it is told with more than figures and texts, which are checked.
 */
#ifndef PYTRAIL_LINK_H
#define PYTRAIL_LINK_H

#include "figures.h"

enum link_kind {
	/* tracer to exporter */
	LINK_TRACER = 1, /* struct tracer_figures */
	LINK_STOP,       /* struct link_stop; closing the socket is the same without draining */
	/* exporter to tracer */
	LINK_READY,   /* the drivers are open */
	LINK_FAILED,  /* they are not: struct link_text */
	LINK_FIGURES, /* struct exporter_figures, up to its last output */
	LINK_DONE,    /* the same, the last one */
	LINK_ALARM,   /* struct link_alarm */
};

struct link_stop {
	double drain; /* seconds */
};

struct link_text {
	char text[2048]; /* terminated */
};

struct link_alarm {
	char output[OUTPUT_NAME_MAX + 1];
	char reason[256];
	bool held;
};

struct link_message {
	uint32_t kind;
	uint32_t pad;
	union {
		struct tracer_figures tracer;
		struct exporter_figures figures;
		struct link_stop stop;
		struct link_text text;
		struct link_alarm alarm;
	};
};

#define LINK_HEAD offsetof(struct link_message, tracer)

/* The descriptors that the exporter is started with. */
#define EXPORTER_LINK_FD   3
#define EXPORTER_CONFIG_FD 4
#define EXPORTER_LISTEN_FD 5 /* of the metrics, /dev/null without */
/* The word that makes this program the exporter: no command of users. */
#define EXPORTER_WORD "--exporter"

#endif
