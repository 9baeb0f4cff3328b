/* Messages and ends as GNU has them. */
#ifndef _ERROR_H
#define _ERROR_H

#include <features.h>

__BEGIN_DECLS

void error(int status, int number, const char *format, ...) __attribute__((__format__(__printf__, 3, 4)));
void error_at_line(int status, int number, const char *file, unsigned line, const char *format, ...)
    __attribute__((__format__(__printf__, 5, 6)));
extern unsigned error_message_count;
extern int error_one_per_line;

__END_DECLS

#endif
