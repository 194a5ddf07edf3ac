/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Files that root writes by a name that it was given. Where others can write to a directory, what
 * they put there is not followed and not written to, whatever fs.protected_symlinks and the like
 * are set to (their rules: may_follow_link() and may_create_in_sticky() in Linux' fs/namei.c).
 */
#ifndef PYTRAIL_SAFE_FILE_H
#define PYTRAIL_SAFE_FILE_H

#include <sys/types.h>

/*
 * The directory that a path's file is in, as a descriptor (O_PATH) that stays the same whatever
 * becomes of its name. *base: the file's own name, in path. On the way a symbolic link in a
 * directory that all can write to is followed only when it belongs to us, to root or to the
 * directory's owner. -ELOOP: it does not; or -errno.
 */
int safe_file__parent(const char *path, const char **base);

/*
 * Opens a file there to write to it, made with this mode where it is not there. flags: beside those
 * for that (O_TRUNC: only once the file is known to be a good one). In a directory that others can
 * write to no symbolic link is followed (-ELOOP); in one that all can write to the file must not be
 * another's (-EPERM) nor have another name (-EMLINK). Or -errno.
 */
int safe_file__openat(int dirfd, const char *base, int flags, mode_t mode);

/* Both. */
int safe_file__open(const char *path, int flags, mode_t mode);

/* What such an error means: as strerror(3), but for those. */
const char *safe_file__why(int err);

#endif
