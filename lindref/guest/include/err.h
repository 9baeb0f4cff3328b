/* Messages and ends as BSD has them. */
#ifndef _ERR_H
#define _ERR_H

#include <features.h>
#include <stdarg.h>

__BEGIN_DECLS

_Noreturn void err(int status, const char *format, ...) __attribute__((__format__(__printf__, 2, 3)));
_Noreturn void errx(int status, const char *format, ...) __attribute__((__format__(__printf__, 2, 3)));
void warn(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));
void warnx(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));
_Noreturn void verr(int status, const char *format, va_list args);
_Noreturn void verrx(int status, const char *format, va_list args);
void vwarn(const char *format, va_list args);
void vwarnx(const char *format, va_list args);

__END_DECLS

#endif
