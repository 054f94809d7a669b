#define _GNU_SOURCE
#include "CAllocationCount.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static __thread uint64_t count;
uint64_t allocation_count(void) { return count; }

#if defined(__GLIBC__)
/* The executable's symbols come before the C library's, so every allocation passes here. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
void *malloc(size_t size) { count++; return __libc_malloc(size); }
void *calloc(size_t number, size_t size) { count++; return __libc_calloc(number, size); }
void *realloc(void *old, size_t size) { count++; return __libc_realloc(old, size); }
int posix_memalign(void **result, size_t alignment, size_t size) {
    count++;
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : ENOMEM;
}
void *aligned_alloc(size_t alignment, size_t size) { count++; return __libc_memalign(alignment, size); }
#endif

int bare_lock_cycle(int directory, const char *private_name, const char *lock_name) {
    char record[104] = {1};
    int file = openat(directory, private_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0) return -1;
    int failed = pwrite(file, record, sizeof record, 0) != sizeof record
        || flock(file, LOCK_EX | LOCK_NB) != 0
        || linkat(directory, private_name, directory, lock_name, 0) != 0
        || unlinkat(directory, private_name, 0) != 0
        || unlinkat(directory, lock_name, 0) != 0;
    return close(file) != 0 || failed ? -1 : 0;
}

int bare_validate(int directory, const char *lock_name, const char *data_name, int lock) {
    struct stat status;
    char record[104];
    return fstatat(directory, lock_name, &status, AT_SYMLINK_NOFOLLOW) != 0
        || pread(lock, record, sizeof record, 0) != sizeof record
        || fstatat(directory, data_name, &status, 0) != 0 ? -1 : 0;
}

int bare_renew(int directory, const char *lock_name, const char *data_name, int lock) {
    char timestamp[8] = {2};
    return bare_validate(directory, lock_name, data_name, lock) != 0
        || pwrite(lock, timestamp, sizeof timestamp, 0x48) != sizeof timestamp ? -1 : 0;
}
