/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The full screen of `pytrail top`, on ncurses: drawing, keys, and giving the terminal back. */
#ifndef PYTRAIL_TOP_SCREEN_H
#define PYTRAIL_TOP_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "top_count.h"
#include "top_view.h"

struct top_screen;

/*
 * Takes the terminal of standard input and output; what is logged from now on is shown on the
 * screen. view: not owned, changed by keys. -1, or the exit code with the error said.
 */
int top_screen__open(struct top_view *view, struct top_screen **out);
/* Gives the terminal back, and says on standard error what was logged meanwhile. NULL is taken. */
void top_screen__close(struct top_screen *s);

/* what: traced, for the first line; elapsed_ns: since the start. */
void top_screen__draw(struct top_screen *s, struct top_count *t, const char *what,
                      uint64_t elapsed_ns);

/* Reads the keys that are waiting. True: to quit. Draw afterwards. */
bool top_screen__input(struct top_screen *s);
/* The terminal's size has changed. Draw afterwards. */
void top_screen__resize(struct top_screen *s);
/* The figures are to stay as they are. */
bool top_screen__paused(const struct top_screen *s);

#endif
