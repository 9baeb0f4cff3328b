/* POSIX: file times in seconds. */
#ifndef _UTIME_H
#define _UTIME_H

#include <features.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

struct utimbuf {
    time_t actime, modtime;
};

int utime(const char *path, const struct utimbuf *times);

__END_DECLS

#endif
