/* Network interfaces: there is the loopback. */
#ifndef _NET_IF_H
#define _NET_IF_H

#include <features.h>

__BEGIN_DECLS

#define IF_NAMESIZE 16
#define IFNAMSIZ 16

unsigned if_nametoindex(const char *name);
char *if_indextoname(unsigned index, char *name);

__END_DECLS

#endif
