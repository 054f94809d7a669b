#define _GNU_SOURCE
#include "CRVFShims.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Two descriptors travel in a hand-over; room for eight lets a stranger's surplus arrive, to be closed. */
enum { descriptor_room = 8 };

#if defined(MSG_NOSIGNAL)
enum { no_signal = MSG_NOSIGNAL };
#else
enum { no_signal = 0 }; /* Darwin: SO_NOSIGPIPE is set on the socket instead */
#endif

ssize_t rvf_send_descriptors(int socket, const void *bytes, size_t length, const int *descriptors, int count) {
    union { char space[CMSG_SPACE(sizeof(int) * descriptor_room)]; struct cmsghdr align; } control;
    struct iovec vector = {(void *)bytes, length};
    struct msghdr message = {0};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    if (count < 0 || count > descriptor_room) { errno = EINVAL; return -1; }
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)count);
    }
    return sendmsg(socket, &message, no_signal);
}

ssize_t rvf_receive_descriptors(int socket, void *bytes, size_t length, int *descriptors, int *count) {
    union { char space[CMSG_SPACE(sizeof(int) * descriptor_room)]; struct cmsghdr align; } control;
    struct iovec vector = {bytes, length};
    struct msghdr message = {0};
    int room = *count;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    *count = 0;
#if defined(MSG_CMSG_CLOEXEC)
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
#else
    ssize_t received = recvmsg(socket, &message, 0);
#endif
    if (received < 0) return received;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t number = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < number; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof descriptor);
#if !defined(MSG_CMSG_CLOEXEC)
            fcntl(descriptor, F_SETFD, FD_CLOEXEC);
#endif
            if (*count < room) descriptors[(*count)++] = descriptor;
            else close(descriptor); /* more than the protocol has: none of ours */
        }
    }
    return received;
}

static int address_of(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) { errno = ENAMETOOLONG; return -1; }
    strcpy(address->sun_path, path);
    return 0;
}

static int stream_socket(void) {
#if defined(SOCK_CLOEXEC)
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
#else
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    int on = 1;
    if (descriptor >= 0) {
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
        setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
    }
    return descriptor;
#endif
}

static int closed_keeping_errno(int descriptor) {
    int kept = errno;
    close(descriptor);
    errno = kept;
    return -1;
}

int rvf_socket_listen(const char *path) {
    struct sockaddr_un address;
    if (address_of(path, &address) != 0) return -1;
    int descriptor = stream_socket();
    if (descriptor < 0) return -1;
    /* Whoever connects is given the lock, so the socket is for its owner alone; until listen(2)
       nobody can connect, whatever the mode was at bind(2). */
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0
        || chmod(path, S_IRUSR | S_IWUSR) != 0 || listen(descriptor, 1) != 0)
        return closed_keeping_errno(descriptor);
    return descriptor;
}

int rvf_socket_accept(int socket) {
#if defined(SOCK_CLOEXEC)
    return accept4(socket, NULL, NULL, SOCK_CLOEXEC);
#else
    int descriptor = accept(socket, NULL, NULL);
    int on = 1;
    if (descriptor >= 0) {
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
        setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
    }
    return descriptor;
#endif
}

int rvf_socket_connect(const char *path) {
    struct sockaddr_un address;
    if (address_of(path, &address) != 0) return -1;
    int descriptor = stream_socket();
    if (descriptor < 0) return -1;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0)
        return closed_keeping_errno(descriptor);
    return descriptor;
}

int rvf_socket_peer_user(int socket, uint32_t *user) {
#if defined(SO_PEERCRED)
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    int result = getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    if (result == 0) *user = credentials.uid;
    return result;
#else
    uid_t peer;
    gid_t group;
    int result = getpeereid(socket, &peer, &group);
    if (result == 0) *user = peer;
    return result;
#endif
}
