// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Loaded in front of a program (LD_PRELOAD): lets one of its calls of the C library fail.
 *
 *   FAULT_CALLS=malloc,calloc   which calls are counted together
 *   FAULT_NTH=7                 the one that fails; 0: none
 *   FAULT_EVERY=1               and all behind it
 *   FAULT_ERRNO=12              how; 0: it does less than it was asked (read, write: one byte)
 *   FAULT_REPORT=FILE           how many there were is written there at the end
 *   FAULT_PATH=/tmp/            open and the like: only of paths that begin so; reads and writes:
 *                               only of descriptors that were opened so
 *
 * Only the process that it was loaded into is concerned, not what it forks.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
	bool ready, every;
	long nth;
	int error;
	pid_t pid;
	const char *calls, *path, *report;
} conf;
static atomic_long counted;
/* In a call of another library that does not survive it: nothing fails there. */
static __thread int exempt;
/* Descriptors below 1024 that FAULT_PATH chose. */
static atomic_uchar chosen[1024];

/* What dlsym() itself allocates before the real functions are known. */
static char early[65536];
static size_t early_used;

static bool is_early(const void *p)
{
	return (const char *)p >= early && (const char *)p < early + sizeof(early);
}

static void *early_alloc(size_t size)
{
	void *p = early + early_used;

	size = (size + 15) & ~(size_t)15;
	if (size > sizeof(early) - early_used)
		_exit(126);
	early_used += size;
	return p;
}

static void write_report(void)
{
	char text[32];
	int fd, n;

	if (!conf.report || getpid() != conf.pid)
		return;
	n = snprintf(text, sizeof(text), "%ld\n", atomic_load(&counted));
	fd = (int)syscall(SYS_openat, AT_FDCWD, conf.report, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd >= 0) {
		(void)!syscall(SYS_write, fd, text, n);
		syscall(SYS_close, fd);
	}
}

__attribute__((constructor)) static void begin(void)
{
	const char *nth = getenv("FAULT_NTH"), *error = getenv("FAULT_ERRNO");

	conf.calls = getenv("FAULT_CALLS");
	conf.nth = nth ? atol(nth) : 0;
	conf.error = error ? atoi(error) : 0;
	conf.every = getenv("FAULT_EVERY") != NULL;
	conf.path = getenv("FAULT_PATH");
	conf.report = getenv("FAULT_REPORT");
	conf.pid = getpid();
	conf.ready = conf.calls != NULL;
	/* what is executed is not to be concerned */
	unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void end(void)
{
	write_report();
}

static bool is_counted(const char *name)
{
	size_t len = strlen(name);

	for (const char *p = conf.calls; p && *p; p += strcspn(p, ","), p += *p == ',')
		if (strcspn(p, ",") == len && !strncmp(p, name, len))
			return true;
	return false;
}

/* For a debugger to stop at. */
__attribute__((noinline, visibility("default"))) void fault__hit(void);
void fault__hit(void)
{
	__asm__ volatile("");
}

/* Whether this call fails: errno is set. */
static bool fails(const char *name)
{
	long n;

	if (!conf.ready || exempt || !is_counted(name) || getpid() != conf.pid)
		return false;
	n = atomic_fetch_add(&counted, 1) + 1;
	if (!conf.nth || (conf.every ? n < conf.nth : n != conf.nth))
		return false;
	fault__hit();
	errno = conf.error;
	return true;
}

static bool is_chosen(int fd)
{
	return !conf.path || (fd >= 0 && fd < 1024 && atomic_load(&chosen[fd]));
}

static bool path_matches(const char *path)
{
	return !conf.path || !strncmp(path, conf.path, strlen(conf.path));
}

static int choose(int fd, const char *path)
{
	if (fd >= 0 && fd < 1024)
		atomic_store(&chosen[fd], conf.path && path_matches(path));
	return fd;
}

#define REAL(name)                     \
	static __typeof__(name) *real; \
	if (!real)                     \
	real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define EXPORT __attribute__((visibility("default")))

/* --- memory ----------------------------------------------------------------------------------- */

static __typeof__(malloc) *real_malloc;
static __typeof__(calloc) *real_calloc;
static __typeof__(realloc) *real_realloc;
static __typeof__(free) *real_free;

/* True while they are looked for. */
static bool looking(void)
{
	static bool busy;

	if (real_free)
		return false;
	if (busy)
		return true;
	busy = true;
	real_malloc = (__typeof__(malloc) *)dlsym(RTLD_NEXT, "malloc");
	real_calloc = (__typeof__(calloc) *)dlsym(RTLD_NEXT, "calloc");
	real_realloc = (__typeof__(realloc) *)dlsym(RTLD_NEXT, "realloc");
	real_free = (__typeof__(free) *)dlsym(RTLD_NEXT, "free");
	return false;
}

EXPORT void *malloc(size_t size)
{
	if (looking())
		return early_alloc(size);
	return fails("malloc") ? NULL : real_malloc(size);
}

EXPORT void *calloc(size_t cnt, size_t size)
{
	if (looking())
		return early_alloc(cnt * size);
	return fails("calloc") ? NULL : real_calloc(cnt, size);
}

EXPORT void *realloc(void *p, size_t size)
{
	void *q;

	if (is_early(p)) {
		q = malloc(size);
		if (q)
			memcpy(q, p, size < 1024 ? size : 1024);
		return q;
	}
	if (looking())
		return early_alloc(size);
	return fails("realloc") ? NULL : real_realloc(p, size);
}

EXPORT void *reallocarray(void *p, size_t cnt, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(cnt, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, all);
}

EXPORT void free(void *p)
{
	if (p && !is_early(p) && !looking())
		real_free(p);
}

/* --- not ours --------------------------------------------------------------------------------- */

#define EXEMPT(ret, name, params, args) \
	EXPORT ret name params          \
	{                               \
		ret result;             \
		REAL(name);             \
		exempt++;               \
		result = real args;     \
		exempt--;               \
		return result;          \
	}

/* glibc 2.36 goes on with the NULL that it could not allocate (nss/nss_database.c). */
EXEMPT(struct passwd *, getpwnam, (const char *name), (name))
EXEMPT(struct passwd *, getpwuid, (uid_t uid), (uid))
/* AddressSanitizer gives up when a thread's stack is not told it. */
EXEMPT(int, pthread_getattr_np, (pthread_t thread, pthread_attr_t *attr), (thread, attr))

/* --- files ------------------------------------------------------------------------------------ */

#define OPENS(name)                                                              \
	EXPORT int name(const char *path, int flags, ...)                        \
	{                                                                        \
		va_list args;                                                    \
		mode_t mode;                                                     \
		REAL(name);                                                      \
		va_start(args, flags);                                           \
		mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0; \
		va_end(args);                                                    \
		if (path_matches(path) && fails("open"))                         \
			return -1;                                               \
		return choose(real(path, flags, mode), path);                    \
	}

#define OPENS_AT(name)                                                           \
	EXPORT int name(int dir, const char *path, int flags, ...)               \
	{                                                                        \
		va_list args;                                                    \
		mode_t mode;                                                     \
		REAL(name);                                                      \
		va_start(args, flags);                                           \
		mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0; \
		va_end(args);                                                    \
		if ((path_matches(path) || is_chosen(dir)) && fails("open"))     \
			return -1;                                               \
		return choose(real(dir, path, flags, mode), path);               \
	}

OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

EXPORT DIR *opendir(const char *path)
{
	REAL(opendir);
	return path_matches(path) && fails("opendir") ? NULL : real(path);
}

EXPORT FILE *fopen(const char *path, const char *mode)
{
	REAL(fopen);
	return path_matches(path) && fails("fopen") ? NULL : real(path, mode);
}

EXPORT FILE *fopen64(const char *path, const char *mode)
{
	REAL(fopen64);
	return path_matches(path) && fails("fopen") ? NULL : real(path, mode);
}

/* An errno of 0: one byte only. */
EXPORT ssize_t read(int fd, void *data, size_t size)
{
	REAL(read);
	if (is_chosen(fd) && fails("read")) {
		if (conf.error)
			return -1;
		size = size > 1 ? 1 : size;
	}
	return real(fd, data, size);
}

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
	REAL(write);
	if (is_chosen(fd) && fails("write")) {
		if (conf.error)
			return -1;
		size = size > 1 ? 1 : size;
	}
	return real(fd, data, size);
}

EXPORT ssize_t pread64(int fd, void *data, size_t size, off64_t at)
{
	REAL(pread64);
	if (is_chosen(fd) && fails("pread")) {
		if (conf.error)
			return -1;
		size = size > 1 ? 1 : size;
	}
	return real(fd, data, size, at);
}

EXPORT ssize_t pread(int fd, void *data, size_t size, off_t at)
{
	return pread64(fd, data, size, at);
}

#define SIMPLE(ret, bad, name, params, args)             \
	EXPORT ret name params                           \
	{                                                \
		REAL(name);                              \
		return fails(#name) ? (bad) : real args; \
	}

SIMPLE(int, -1, close, (int fd), (fd))
SIMPLE(int, -1, fsync, (int fd), (fd))
SIMPLE(int, -1, fdatasync, (int fd), (fd))
SIMPLE(int, -1, ftruncate, (int fd, off_t len), (fd, len))
SIMPLE(int, -1, fstat, (int fd, struct stat *st), (fd, st))
SIMPLE(int, -1, stat, (const char *path, struct stat *st), (path, st))
SIMPLE(int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
SIMPLE(int, -1, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
SIMPLE(int, -1, dup, (int fd), (fd))
SIMPLE(int, -1, pipe2, (int fds[2], int flags), (fds, flags))
SIMPLE(int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol))
SIMPLE(int, -1, socketpair, (int d, int t, int p, int fds[2]), (d, t, p, fds))
SIMPLE(ssize_t, -1, recv, (int fd, void *data, size_t len, int flags), (fd, data, len, flags))
SIMPLE(ssize_t, -1, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
SIMPLE(ssize_t, -1, send, (int fd, const void *data, size_t len, int flags), (fd, data, len, flags))
SIMPLE(ssize_t, -1, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
SIMPLE(int, -1, epoll_create1, (int flags), (flags))
SIMPLE(int, -1, epoll_ctl, (int e, int op, int fd, struct epoll_event *ev), (e, op, fd, ev))
SIMPLE(int, -1, epoll_wait, (int e, struct epoll_event *ev, int n, int ms), (e, ev, n, ms))
SIMPLE(int, -1, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
SIMPLE(int, -1, eventfd, (unsigned int value, int flags), (value, flags))
SIMPLE(int, -1, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
SIMPLE(int, -1, memfd_create, (const char *name, unsigned int flags), (name, flags))
SIMPLE(pid_t, -1, fork, (void), ())
SIMPLE(ssize_t, -1, getrandom, (void *data, size_t len, unsigned int flags), (data, len, flags))
SIMPLE(ssize_t, -1, process_vm_readv,
       (pid_t pid, const struct iovec *to, unsigned long nt, const struct iovec *from,
        unsigned long nf, unsigned long flags),
       (pid, to, nt, from, nf, flags))

EXPORT void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	REAL(mmap);
	return fd >= 0 && fails("mmap") ? MAP_FAILED : real(at, len, prot, flags, fd, off);
}

EXPORT void *mmap64(void *at, size_t len, int prot, int flags, int fd, off64_t off)
{
	REAL(mmap64);
	return fd >= 0 && fails("mmap") ? MAP_FAILED : real(at, len, prot, flags, fd, off);
}

EXPORT int pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	REAL(pthread_create);
	return fails("pthread_create") ? conf.error : real(t, attr, fn, arg);
}

/* bpf(2) and perf_event_open(2), by which the kernel is asked for everything. */
EXPORT long syscall(long nr, ...)
{
	typedef long syscall_fn(long, long, long, long, long, long, long);
	static syscall_fn *real;
	long a[6];
	va_list args;

	if (!real)
		real = (syscall_fn *)dlsym(RTLD_NEXT, "syscall");
	va_start(args, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if ((nr == SYS_bpf && fails("bpf")) ||
	    (nr == SYS_perf_event_open && fails("perf_event_open")))
		return -1;
	return real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
