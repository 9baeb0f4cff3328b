/* POSIX: process times. */
#ifndef _SYS_TIMES_H
#define _SYS_TIMES_H

#include <features.h>
#include <bits/alltypes.h>

__BEGIN_DECLS

struct tms {
    clock_t tms_utime, tms_stime, tms_cutime, tms_cstime;
};

clock_t times(struct tms *used);

__END_DECLS

#endif
