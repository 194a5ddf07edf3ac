/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A loss of the spool as an item of its stream: said in-band, by the format of the stream. */
#ifndef PYTRAIL_LOST_ITEM_H
#define PYTRAIL_LOST_ITEM_H

struct buf;
struct format_context;
struct item;
struct spool_loss;

/*
 * Renders it for an output. ctx: as for every record of the stream; its instance is replaced by a
 * hash of the output's name, "seq" is the last number lost: read again, the same loss has the same
 * id. The item's texts point into mem and `stream`. 0; -ENOENT: the stream is of a format that is
 * not known; -ENOMEM.
 */
int lost_item__render(const struct spool_loss *loss, const char *output, const char *stream,
                      const struct format_context *ctx, struct buf *mem, struct item *out);

#endif
