#if defined(__linux__)
#define _GNU_SOURCE
#include "CRVFShims.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

int rvf_flag_path(void) { return O_PATH; }
int rvf_flag_tmpfile(void) { return O_TMPFILE; }

/* Through syscall(2), since older C libraries have no wrapper. */
static int rename_with(int directory, const char *from, const char *to, unsigned flags) {
    return (int)syscall(SYS_renameat2, directory, from, directory, to, flags);
}

int rvf_rename_exclusive(int directory, const char *from, const char *to) {
    return rename_with(directory, from, to, RENAME_NOREPLACE);
}

int rvf_rename_exchange(int directory, const char *first, const char *second) {
    return rename_with(directory, first, second, RENAME_EXCHANGE);
}

int rvf_link_unnamed(int descriptor, int directory, const char *name) {
    char self[32]; /* "/proc/self/fd/" and at most ten digits */
    snprintf(self, sizeof self, "/proc/self/fd/%d", descriptor);
    int result = linkat(AT_FDCWD, self, directory, name, AT_SYMLINK_FOLLOW);
    if (result == 0 || errno != ENOENT) return result;
    return linkat(descriptor, "", directory, name, AT_EMPTY_PATH);
}

int rvf_file_system_type(int descriptor, uint64_t *type) {
    struct statfs buffer;
    int result = fstatfs(descriptor, &buffer);
    if (result == 0) *type = (uint32_t)buffer.f_type;
    return result;
}

int rvf_identity(int directory, const char *name, int flags, uint64_t *device, uint64_t *inode) {
    struct statx buffer;
    /* The links are asked for so that a remote file system looks as freshly as it does for stat(2). */
    int result = statx(directory, name, flags, STATX_INO | STATX_NLINK, &buffer);
    if (result != 0) return result;
    *device = makedev(buffer.stx_dev_major, buffer.stx_dev_minor);
    *inode = buffer.stx_ino;
    return 0;
}

int rvf_birth_time(int directory, const char *name, int64_t *nanoseconds) {
    struct statx buffer;
    int result = statx(directory, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &buffer);
    if (result != 0) return result;
    *nanoseconds = 0;
    if (buffer.stx_mask & STATX_BTIME)
        *nanoseconds = buffer.stx_btime.tv_sec * 1000000000LL + buffer.stx_btime.tv_nsec;
    return 0;
}

/* Labels and capabilities that the kernel gives and takes itself. A user's own attribute, or an access control
   list, is never passed over. */
static int may_be_left_out(const char *name, int error) {
    int is_own = strncmp(name, "user.", 5) == 0 || strncmp(name, "system.posix_acl", 16) == 0;
    return !is_own && (error == EPERM || error == EACCES || error == ENOTSUP || error == EINVAL);
}

static int copy_attribute(int source, int target, const char *name) {
    for (;;) {
        ssize_t size = fgetxattr(source, name, NULL, 0);
        /* Gone since it was listed. */
        if (size < 0) return errno == ENODATA || may_be_left_out(name, errno) ? 0 : -1;
        char *value = malloc(size > 0 ? (size_t)size : 1);
        if (!value) return -1;
        ssize_t got = fgetxattr(source, name, value, (size_t)size);
        int result = got < 0 ? -1 : fsetxattr(target, name, value, (size_t)got, 0);
        int error = errno;
        free(value);
        errno = error;
        if (got < 0 && error == ERANGE) continue; /* it grew meanwhile */
        if (result != 0 && (got < 0 ? error == ENODATA : may_be_left_out(name, error))) return 0;
        return result;
    }
}

int rvf_copy_attributes(int source, int target) {
    for (;;) {
        ssize_t size = flistxattr(source, NULL, 0);
        if (size < 0) return errno == ENOTSUP ? 0 : -1;
        if (size == 0) return 0;
        char *names = malloc((size_t)size);
        if (!names) return -1;
        ssize_t got = flistxattr(source, names, (size_t)size);
        int result = got < 0 ? -1 : 0;
        for (ssize_t at = 0; result == 0 && at < got; at += (ssize_t)strlen(names + at) + 1)
            result = copy_attribute(source, target, names + at);
        int error = errno;
        free(names);
        errno = error;
        if (got >= 0 || error != ERANGE) return result;
    }
}

static struct flock byte_at(int64_t offset, short type) {
    struct flock range = {0};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = offset;
    range.l_len = 1;
    return range;
}

int rvf_mark_range(int descriptor, int64_t offset) {
    struct flock range = byte_at(offset, F_RDLCK);
    return fcntl(descriptor, F_OFD_SETLK, &range);
}

int rvf_range_is_marked(int descriptor, int64_t offset) {
    struct flock range = byte_at(offset, F_WRLCK);
    if (fcntl(descriptor, F_OFD_GETLK, &range) != 0) return -1;
    return range.l_type != F_UNLCK;
}
#endif
