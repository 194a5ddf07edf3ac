/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Between nats.c, which sends, and nats_config.c, which loads the library and makes its options. */
#ifndef PYTRAIL_NATS_IMPL_H
#define PYTRAIL_NATS_IMPL_H

#include <pthread.h>

#include <nats/nats.h>

#include "../net/waiter.h"
#include "../util/buf.h"
#include "../util/dynlib.h"
#include "driver.h"

struct nats_library {
	DYNLIB_FN(natsOptions_Create);
	DYNLIB_FN(natsOptions_Destroy);
	DYNLIB_FN(natsOptions_SetURL);
	DYNLIB_FN(natsOptions_SetTimeout);
	DYNLIB_FN(natsOptions_SetName);
	DYNLIB_FN(natsOptions_SetAllowReconnect);
	DYNLIB_FN(natsOptions_SetErrorHandler);
	DYNLIB_FN(natsOptions_SetClosedCB);
	DYNLIB_FN(natsOptions_SetUserInfo);
	DYNLIB_FN(natsOptions_SetToken);
	DYNLIB_FN(natsOptions_SetUserCredentialsFromFiles);
	DYNLIB_FN(natsOptions_SetSecure);
	DYNLIB_FN(natsOptions_LoadCATrustedCertificates);
	DYNLIB_FN(natsOptions_SetCertificatesChain);
	DYNLIB_FN(natsOptions_SetExpectedHostname);
	DYNLIB_FN(natsOptions_SkipServerVerification);
	DYNLIB_FN(natsConnection_Connect);
	DYNLIB_FN(natsConnection_Destroy);
	DYNLIB_FN(natsConnection_IsClosed);
	DYNLIB_FN(natsConnection_GetLastError);
	DYNLIB_FN(natsConnection_JetStream);
	DYNLIB_FN(natsMsg_Create);
	DYNLIB_FN(natsMsg_Destroy);
	DYNLIB_FN(natsMsgHeader_Set);
	DYNLIB_FN(natsStatus_GetText);
	DYNLIB_FN(nats_GetLastError);
	DYNLIB_FN(jsOptions_Init);
	DYNLIB_FN(jsPubOptions_Init);
	DYNLIB_FN(jsCtx_Destroy);
	DYNLIB_FN(js_PublishMsgAsync);
};

extern struct nats_library nats_lib;
extern const struct setting nats_settings[];

/*
 * What the library's threads and the output's share. The library does not say when its last
 * callback has returned, so that these are never freed: one for each driver that was opened.
 */
struct nats_batch {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	natsConnection *connection; /* written under the lock by the output's thread only */
	bool closed;                /* the connection is */
	natsMsg **messages;         /* one for each item: under way, else NULL */
	uint8_t *items;
	size_t cnt, next, waiting;
	bool denied;
	int code;
	char reason[256];
	struct nats_batch *older; /* all there are */
};

struct nats {
	struct driver base;
	struct waiter waiter;
	natsOptions *options;
	struct nats_batch *batch;
	jsCtx *js;
	char *subject;
	const char *content_type;
	char *schema;
	double timeout;
};

/* NULL: no memory. */
struct nats_batch *nats_batch__new(void);

/* Loads the library; url and settings into options, subject and the rest. 0 or -errno with a
 * sentence. */
int nats__configure(struct nats *n, const struct driver_config *cfg, struct buf *why);

#endif
