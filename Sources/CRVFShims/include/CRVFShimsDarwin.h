#ifndef CRVFSHIMS_DARWIN_H
#define CRVFSHIMS_DARWIN_H

#include <stdint.h>
#include <sys/types.h>

/* renameatx_np(2). */
int rvf_rename_exclusive(int directory, const char *from, const char *to);
int rvf_rename_exchange(int directory, const char *first, const char *second);

/* fstatfs(2): the name of the file system's type, at most 15 bytes and a NUL. */
int rvf_file_system_name(int descriptor, char name[16]);

/* fstatat(2): birth time in nanoseconds since 1970; 0 where the file system keeps none. */
int rvf_birth_time(int directory, const char *name, int64_t *nanoseconds);

/* sysctl KERN_PROC: 1 and the fields of a process that exists, 0 where it does not. */
int rvf_process_state(int32_t process, int *is_zombie, int64_t *started_nanoseconds);
/* proc_pidpath(3): the executable's path. */
int rvf_process_path(int32_t process, char *path, uint32_t room);

ssize_t rvf_send_descriptors(int socket, const void *bytes, size_t length, const int *descriptors, int count);
ssize_t rvf_receive_descriptors(int socket, void *bytes, size_t length, int *descriptors, int *count);
int rvf_socket_listen(const char *path);
int rvf_socket_accept(int socket);
int rvf_socket_connect(const char *path);
/* The user id of the process at the other end. */
int rvf_socket_peer_user(int socket, uint32_t *user);

#endif
