// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "pressure.h"

#include "util/log.h"

/* Whether it is time to say so: not for every one of many. */
static bool is_news(uint64_t now, uint64_t *said)
{
	if (!now || now < 2 * *said)
		return false;
	*said = now;
	return true;
}

bool pressure__say(struct pressure *p, const struct session *s)
{
	struct session_pressure now = session__pressure(s);
	bool lost = now.news_lost > p->seen.news_lost || now.news_left_out > p->seen.news_left_out;

	if (now.unfollowed != p->said.unfollowed && is_news(now.unfollowed, &p->said.unfollowed))
		log__warn("%llu children of traced processes could not be followed, there are too "
		          "many at once: their events are not seen",
		          (unsigned long long)now.unfollowed);
	if (now.news_lost != p->said.news_lost && is_news(now.news_lost, &p->said.news_lost))
		log__warn("the ring was full when %llu processes executed a file or ended: what "
		          "they run is looked for; a larger --ring-size avoids that",
		          (unsigned long long)now.news_lost);
	if (now.news_left_out != p->said.news_left_out &&
	    is_news(now.news_left_out, &p->said.news_left_out))
		log__warn("the kernel left out %llu times to say that a process executed a file, "
		          "mapped "
		          "one or ended: what runs is looked for",
		          (unsigned long long)now.news_left_out);
	p->seen = now;
	return lost;
}
