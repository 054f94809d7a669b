#ifndef CRVFSHIMS_LINUX_H
#define CRVFSHIMS_LINUX_H

#include <stdint.h>
#include <sys/types.h>

/* open(2): the flags that need _GNU_SOURCE. */
int rvf_flag_path(void);
int rvf_flag_tmpfile(void);

/* renameat2(2). */
int rvf_rename_exclusive(int directory, const char *from, const char *to);
int rvf_rename_exchange(int directory, const char *first, const char *second);

/* linkat(2) of an unnamed file, through /proc/self/fd; where /proc is not mounted through
   AT_EMPTY_PATH, which older kernels allow only to root. */
int rvf_link_unnamed(int descriptor, int directory, const char *name);

/* fstatfs(2): the type word of the file system. */
int rvf_file_system_type(int descriptor, uint64_t *type);

/* statx(2): device and inode, without a look at the times. The device is encoded as stat(2) does. */
int rvf_identity(int directory, const char *name, int flags, uint64_t *device, uint64_t *inode);

/* statx(2): birth time in nanoseconds since 1970; 0 where the file system keeps none. */
int rvf_birth_time(int directory, const char *name, int64_t *nanoseconds);

/* flistxattr(2), fgetxattr(2), fsetxattr(2): gives the target every extended attribute of the source, access
   control lists among them. Attributes of the system's own that may not be set are left out. */
int rvf_copy_attributes(int source, int target);

/* An open-file-description byte-range lock, shared, and a look whether somebody else has one. */
int rvf_mark_range(int descriptor, int64_t offset);
int rvf_range_is_marked(int descriptor, int64_t offset);

/* sendmsg(2) and recvmsg(2) with SCM_RIGHTS. `count` holds the room on entry, the number on return. */
ssize_t rvf_send_descriptors(int socket, const void *bytes, size_t length, const int *descriptors, int count);
ssize_t rvf_receive_descriptors(int socket, void *bytes, size_t length, int *descriptors, int *count);

/* socket(2), bind(2), listen(2), accept(2), connect(2) of a Unix stream socket at a path. */
int rvf_socket_listen(const char *path);
int rvf_socket_accept(int socket);
int rvf_socket_connect(const char *path);
/* The user id of the process at the other end. */
int rvf_socket_peer_user(int socket, uint32_t *user);

#endif
