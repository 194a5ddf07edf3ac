// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "resolve.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../util/buf.h"

/* Shared by the thread that asks and the one that waits, who may have gone: the last one frees
 * it. */
struct question {
	atomic_int users;
	int done; /* an eventfd */
	int socktype;
	int error; /* of getaddrinfo */
	struct addrinfo *answer;
	char port[6];
	char host[];
};

static void let_go(struct question *q)
{
	if (atomic_fetch_sub(&q->users, 1) > 1)
		return;
	if (q->answer)
		freeaddrinfo(q->answer);
	if (q->done >= 0)
		close(q->done);
	free(q);
}

static int ask(struct question *q, int flags)
{
	struct addrinfo hints = {.ai_socktype = q->socktype,
	                         .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG | flags};

	/* AI_ADDRCONFIG leaves out loopback-only hosts' own addresses */
	if (flags & AI_NUMERICHOST)
		hints.ai_flags &= ~AI_ADDRCONFIG;
	return getaddrinfo(q->host, q->port, &hints, &q->answer);
}

static void *resolve(void *arg)
{
	struct question *q = arg;
	struct addrinfo any = {.ai_socktype = q->socktype, .ai_flags = AI_NUMERICSERV};

	q->error = ask(q, 0);
	if (q->error) /* a host without any address but its loopback */
		q->error = getaddrinfo(q->host, q->port, &any, &q->answer);
	(void)!write(q->done, &(uint64_t){1}, sizeof(uint64_t));
	let_go(q);
	return NULL;
}

static int start(struct question *q)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, &attr, resolve, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

static struct question *question(const char *host, const char *port, int socktype)
{
	size_t len = strlen(host) + 1;
	struct question *q = calloc(1, sizeof(*q) + len);

	if (!q)
		return NULL;
	atomic_init(&q->users, 1);
	q->socktype = socktype;
	memcpy(q->host, host, len);
	strncpy(q->port, port, sizeof(q->port) - 1);
	q->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->done < 0) {
		let_go(q);
		return NULL;
	}
	return q;
}

int resolve__host(const char *host, const char *port, int socktype, const struct waiter *w,
                  uint64_t deadline, struct addrinfo **out, struct buf *why)
{
	struct question *q = question(host, port, socktype);
	int err = q ? 0 : -ENOMEM;

	/* an address needs nobody to be asked */
	if (q && ask(q, AI_NUMERICHOST)) {
		atomic_store(&q->users, 2);
		err = start(q);
		if (err)
			atomic_store(&q->users, 1);
		else
			err = waiter__poll(w, q->done, POLLIN, deadline);
	}
	if (err)
		buf__printf(why, "the name '%s' could not be resolved: %s", host, strerror(-err));
	if (!err && q->error) {
		buf__printf(why, "the name '%s' could not be resolved: %s", host,
		            gai_strerror(q->error));
		err = -EHOSTUNREACH;
	}
	if (!err) {
		*out = q->answer;
		q->answer = NULL;
	}
	if (q)
		let_go(q);
	return err;
}
