// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "sink.h"

#include "sink_impl.h"

int sink__open(const char *dest, struct sink **out)
{
	return sink_file__open(dest, out);
}

int sink__write(struct sink *s, const char *data, size_t len)
{
	return s->ops->write(s, data, len);
}

int sink__flush(struct sink *s)
{
	return s->ops->flush(s);
}

int sink__close(struct sink *s)
{
	return s ? s->ops->close(s) : 0;
}

int sink__reopen(struct sink *s)
{
	return s->ops->reopen(s);
}

bool sink__is_terminal(const struct sink *s)
{
	return s->ops->columns(s) > 0;
}

unsigned sink__columns(const struct sink *s)
{
	return s->ops->columns(s);
}
