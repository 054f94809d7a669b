/* Written against the macOS 15 SDK's documented interfaces; not yet run on such a machine. */
#if defined(__APPLE__)
#include "CRVFShims.h"
#include <fcntl.h>
#include <libproc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysctl.h>

int rvf_rename_exclusive(int directory, const char *from, const char *to) {
    return renameatx_np(directory, from, directory, to, RENAME_EXCL);
}

int rvf_rename_exchange(int directory, const char *first, const char *second) {
    return renameatx_np(directory, first, directory, second, RENAME_SWAP);
}

int rvf_file_system_name(int descriptor, char name[16]) {
    struct statfs buffer;
    int result = fstatfs(descriptor, &buffer);
    if (result == 0) strlcpy(name, buffer.f_fstypename, 16);
    return result;
}

int rvf_birth_time(int directory, const char *name, int64_t *nanoseconds) {
    struct stat buffer;
    int result = fstatat(directory, name, &buffer, AT_SYMLINK_NOFOLLOW);
    if (result == 0)
        *nanoseconds = buffer.st_birthtimespec.tv_sec * 1000000000LL + buffer.st_birthtimespec.tv_nsec;
    return result;
}

int rvf_process_state(int32_t process, int *is_zombie, int64_t *started_nanoseconds) {
    int query[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, process};
    struct kinfo_proc information;
    size_t size = sizeof information;
    memset(&information, 0, sizeof information);
    if (sysctl(query, 4, &information, &size, NULL, 0) != 0) return -1;
    if (size == 0 || information.kp_proc.p_pid != process) return 0;
    *is_zombie = information.kp_proc.p_stat == SZOMB;
    *started_nanoseconds = information.kp_proc.p_starttime.tv_sec * 1000000000LL
        + information.kp_proc.p_starttime.tv_usec * 1000LL;
    return 1;
}

int rvf_process_path(int32_t process, char *path, uint32_t room) {
    return proc_pidpath(process, path, room);
}
#endif
