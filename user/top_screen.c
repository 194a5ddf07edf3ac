// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "top_screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "util/buf.h"
#include "util/log.h"

/* curses.h and term.h make macros of common words. */
#undef columns
#undef lines

#define HEAD_LINES 4 /* what is traced, totals, a message or the filter, titles */
#define KEY_ESCAPE 27
/* A terminal that is gone is readable for ever, and gives nothing. */
#define EMPTY_MAX 100
/* What is logged while the screen is up, for when it is not. */
#define LOG_MAX (64 * 1024)

struct top_screen {
	struct top_view *view;
	SCREEN *screen;
	FILE *in, *out;
	size_t top, rows; /* first row shown; rows there are */
	size_t page;
	bool paused, help, typing;
	char before[TOP_FILTER_MAX]; /* the filter when typing began */
	char message[256];
	struct buf log; /* lines, each with a newline */
	struct buf line;
	unsigned int empty; /* inputs in a row without a key */
};

/* --- giving the terminal back, also when the program crashes ----------------------------- */

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGQUIT};
#define FATAL_CNT (sizeof(fatal_signals) / sizeof(fatal_signals[0]))

static struct {
	struct termios mode;
	char text[128]; /* out of the screen, cursor on */
	size_t len;
} restore;

/* Only what may be called in a signal handler: ncurses may not. */
static void on_fatal(int number)
{
	ssize_t n = write(STDOUT_FILENO, restore.text, restore.len);

	(void)n;
	tcsetattr(STDIN_FILENO, TCSANOW, &restore.mode);
	/* SA_RESETHAND: now it does what it always did */
	raise(number);
}

static void add_capability(const char *text)
{
	size_t len = text && text != (char *)-1 ? strlen(text) : 0;

	if (len && restore.len + len < sizeof(restore.text)) {
		memcpy(restore.text + restore.len, text, len);
		restore.len += len;
	}
}

static void guard(bool on)
{
	struct sigaction action = {.sa_handler = on ? on_fatal : SIG_DFL, .sa_flags = SA_RESETHAND};
	size_t i;

	for (i = 0; i < FATAL_CNT; i++)
		sigaction(fatal_signals[i], &action, NULL);
}

/* --- opening and closing ---------------------------------------------------------------- */

static void on_log(void *ctx, const char *line, size_t len)
{
	struct top_screen *s = ctx;

	snprintf(s->message, sizeof(s->message), "%.*s", (int)len, line);
	if (s->log.len + len + 1 > LOG_MAX)
		buf__reset(&s->log); /* the newest are worth more */
	buf__append(&s->log, line, len);
	buf__char(&s->log, '\n');
}

static FILE *stream(int fd, const char *mode)
{
	int copy = dup(fd);
	FILE *f = copy >= 0 ? fdopen(copy, mode) : NULL;

	if (!f && copy >= 0)
		close(copy);
	return f;
}

static int take_terminal(struct top_screen *s)
{
	const char *term = getenv("TERM");
	int found;

	setlocale(LC_CTYPE, "");
	s->view->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	s->in = stream(STDIN_FILENO, "r");
	s->out = stream(STDOUT_FILENO, "w");
	if (!s->in || !s->out || tcgetattr(STDIN_FILENO, &restore.mode)) {
		log__error("top: cannot use the terminal: %s", strerror(errno));
		return EXIT_FAIL;
	}
	/* asked first: a newterm() that fails keeps what it took */
	if (setupterm(NULL, STDOUT_FILENO, &found) == OK) {
		del_curterm(cur_term);
		s->screen = newterm(NULL, s->out, s->in);
	}
	if (!s->screen) {
		log__error("top: the terminal '%s' is not known here, or cannot show a screen: set "
		           "TERM, or use --batch",
		           term ? term : "");
		return EXIT_USAGE;
	}
	restore.len = 0;
	add_capability(tigetstr("sgr0"));
	add_capability(tigetstr("rmkx"));
	add_capability(tigetstr("rmcup"));
	add_capability(tigetstr("cnorm"));
	guard(true);
	cbreak();
	noecho();
	nonl();
	set_escdelay(25);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	return -1;
}

int top_screen__open(struct top_view *view, struct top_screen **out)
{
	struct top_screen *s = calloc(1, sizeof(*s));
	int code;

	*out = s;
	if (!s) {
		log__error("out of memory");
		return EXIT_FAIL;
	}
	s->view = view;
	code = take_terminal(s);
	if (code < 0)
		log__divert(on_log, s);
	return code;
}

void top_screen__close(struct top_screen *s)
{
	const char *line, *end;

	if (!s)
		return;
	log__divert(NULL, NULL);
	if (s->screen) {
		endwin();
		delscreen(s->screen);
		guard(false);
	}
	if (s->in)
		fclose(s->in);
	if (s->out)
		fclose(s->out);
	for (line = s->log.data; line && line < s->log.data + s->log.len; line = end + 1) {
		end = memchr(line, '\n', (size_t)(s->log.data + s->log.len - line));
		if (!end)
			break;
		dprintf(STDERR_FILENO, "pytrail: %.*s\n", (int)(end - line), line);
	}
	buf__free(&s->log);
	buf__free(&s->line);
	free(s);
}

bool top_screen__paused(const struct top_screen *s)
{
	return s->paused;
}

void top_screen__resize(struct top_screen *s)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	clearok(curscr, TRUE);
}

/* --- drawing ------------------------------------------------------------------------------ */

static const char *const help_text[] = {
	"p e c      by process, by event, by container",
	"s < >      sort by the next column; r: the other way round",
	"space      pause: events are counted on, the figures stay",
	"/          filter: part of a text, or a glob (socket.*); empty: all",
	"arrows, PgUp, PgDn, Home, End   scroll",
	"q          quit",
};

static void put_line(struct top_screen *s, int y, attr_t attributes)
{
	if (y >= LINES)
		return;
	/* the escapes and the cutting are done; what is not ASCII is only the ellipsis then */
	for (size_t i = 0; s->view->ascii && i + 2 < s->line.len; i++) {
		if ((unsigned char)s->line.data[i] == 0xe2) {
			s->line.data[i] = '~';
			memmove(s->line.data + i + 1, s->line.data + i + 3, s->line.len - i - 3);
			s->line.len -= 2;
		}
	}
	attrset((int)attributes);
	mvaddnstr(y, 0, s->line.data ? s->line.data : "", (int)s->line.len);
	/* a bar over the whole width */
	if (attributes & A_REVERSE)
		for (int x = getcurx(stdscr); x < COLS && getcury(stdscr) == y && x > 0; x++)
			addch(' ');
	attrset(A_NORMAL);
	buf__reset(&s->line);
}

static void draw_head(struct top_screen *s, struct top_count *t, const char *what, uint64_t elapsed_ns)
{
	unsigned long long up = elapsed_ns / 1000000000u;
	unsigned width = (unsigned)COLS;
	time_t now = time(NULL);
	char text[512];
	struct tm tm;

	localtime_r(&now, &tm);
	snprintf(text, sizeof(text), "pytrail top - %02d:%02d:%02d, for %02llu:%02llu:%02llu, %s",
	         tm.tm_hour, tm.tm_min, tm.tm_sec, up / 3600, up / 60 % 60, up % 60, what);
	buf__append(&s->line, text, strnlen(text, width));
	put_line(s, 0, A_BOLD);
	top_view__totals(top_count__totals(t), width, &s->line);
	put_line(s, 1, A_NORMAL);
	if (s->typing || s->view->filter[0])
		snprintf(text, sizeof(text), "filter: %s%s%s", s->view->filter,
		         s->typing ? "_" : "", s->paused ? "  [paused]" : "");
	else
		snprintf(text, sizeof(text), "%s%s", s->paused ? "[paused] " : "", s->message);
	buf__append(&s->line, text, strnlen(text, width));
	put_line(s, 2, A_NORMAL);
	top_view__titles(s->view, width, &s->line);
	put_line(s, 3, A_REVERSE);
}

static void draw_help(struct top_screen *s)
{
	for (size_t i = 0; i < sizeof(help_text) / sizeof(help_text[0]); i++) {
		buf__append(&s->line, help_text[i], strnlen(help_text[i], (size_t)COLS));
		put_line(s, HEAD_LINES + (int)i, A_NORMAL);
	}
}

static void draw_rows(struct top_screen *s, struct top_count *t)
{
	struct tally_row **rows;
	size_t i;
	int y = HEAD_LINES;

	s->rows = top_view__rows(s->view, t, &rows);
	s->page = LINES > HEAD_LINES ? (size_t)(LINES - HEAD_LINES) : 1;
	if (s->top + s->page > s->rows)
		s->top = s->rows > s->page ? s->rows - s->page : 0;
	for (i = s->top; i < s->rows && y < LINES; i++, y++) {
		top_view__row(s->view, rows[i], (unsigned)COLS, &s->line);
		put_line(s, y, A_NORMAL);
	}
	if (y < LINES && top_view__others(s->view, t, (unsigned)COLS, &s->line))
		put_line(s, y, A_DIM);
}

void top_screen__draw(struct top_screen *s, struct top_count *t, const char *what, uint64_t elapsed_ns)
{
	erase();
	draw_head(s, t, what, elapsed_ns);
	if (s->help)
		draw_help(s);
	else
		draw_rows(s, t);
	refresh();
}

/* --- keys --------------------------------------------------------------------------------- */

static void scroll_by(struct top_screen *s, long n)
{
	if (n < 0)
		s->top = s->top > (size_t)-n ? s->top - (size_t)-n : 0;
	else
		s->top += (size_t)n; /* drawing keeps it in bounds */
}

/* A key while the filter is typed. */
static void type(struct top_screen *s, int key)
{
	char *f = s->view->filter;
	size_t len = strlen(f);

	if (key == '\r' || key == '\n' || key == KEY_ENTER) {
		s->typing = false;
	} else if (key == KEY_ESCAPE) {
		memcpy(f, s->before, sizeof(s->before));
		s->typing = false;
	} else if (key == KEY_BACKSPACE || key == 127 || key == 8) {
		while (len && ((unsigned char)f[len - 1] & 0xc0) == 0x80)
			len--;
		f[len ? len - 1 : 0] = '\0';
	} else if (key == 21) { /* ^U */
		f[0] = '\0';
	} else if (key >= ' ' && key < 256 && len + 1 < TOP_FILTER_MAX) {
		f[len] = (char)key;
		f[len + 1] = '\0';
	}
}

static void view_by(struct top_screen *s, enum top_by by)
{
	s->view->by = by;
	s->top = 0;
}

static bool scroll_key(struct top_screen *s, int key)
{
	switch (key) {
	case KEY_UP:
		scroll_by(s, -1);
		return true;
	case KEY_DOWN:
		scroll_by(s, 1);
		return true;
	case KEY_PPAGE:
		scroll_by(s, -(long)s->page);
		return true;
	case KEY_NPAGE:
		scroll_by(s, (long)s->page);
		return true;
	case KEY_HOME:
		s->top = 0;
		return true;
	case KEY_END:
		s->top = s->rows;
		return true;
	}
	return false;
}

/* True: to quit. */
static bool press(struct top_screen *s, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return true;
	case 'p':
		view_by(s, TOP_BY_PROCESS);
		break;
	case 'e':
		view_by(s, TOP_BY_EVENT);
		break;
	case 'c':
		view_by(s, TOP_BY_CONTAINER);
		break;
	case 's':
	case '>':
	case KEY_RIGHT:
		top_view__sort_by(s->view, 1);
		break;
	case '<':
	case KEY_LEFT:
		top_view__sort_by(s->view, -1);
		break;
	case 'r':
		s->view->upwards = !s->view->upwards;
		break;
	case ' ':
		s->paused = !s->paused;
		break;
	case '/':
		s->typing = true;
		memcpy(s->before, s->view->filter, sizeof(s->before));
		break;
	case 12: /* ^L */
		clearok(curscr, TRUE);
		break;
	case '?':
	case 'h':
		s->help = !s->help;
		return false;
	default:
		scroll_key(s, key);
	}
	s->help = false;
	return false;
}

bool top_screen__input(struct top_screen *s)
{
	bool any = false;
	int key;

	while ((key = getch()) != ERR) {
		any = true;
		if (s->typing)
			type(s, key);
		else if (press(s, key))
			return true;
	}
	s->empty = any ? 0 : s->empty + 1;
	return s->empty > EMPTY_MAX;
}
